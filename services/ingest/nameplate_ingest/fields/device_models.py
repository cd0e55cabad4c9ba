"""Models of CT scanners, as headers spell them: a table of literals, since only these may leave ingest.

A row is the beginning of the name and what may follow it, separated by ``|``; the beginning alone is a
model too. Letters, numbers and ``+`` are compared, so ``LightSpeed16``, ``LIGHTSPEED 16`` and
``LightSpeed-16`` are one spelling. A row that begins with ``~`` is no model without an ending, one that
begins with ``=`` only where it is the whole value: these are words of daily life.

The names are those of public collections' headers where these have them, and of the makers' product lists.
A model that is missing leaves as a token, which costs its name and nothing else.
"""

MODELS = {
    "GE": """
        =Optima
        =Revolution
        =Discovery
        LightSpeed: 16|VCT|VCT XT|VCT XTe|VCT Select|Pro 16|Pro 32|Plus|Power|Ultra|RT|RT 16|Xtra|QX/i|8
        BrightSpeed: S|16|Edge|Elite|Elite Select|Excel|Excel Select|QX/i|4|8|RT 16
        HiSpeed: Dual|CT/i|CT/e|CT/e Dual|LX/i|NX/i|NX/i Pro|FX/i|DX/i|ZX/i|QX/i|RP|SA|Advantage|ADV RP|X/i
        ProSpeed: AI|A II|AII|S|SX|FII|EII|Plus|VX
        ~Optima: CT520|CT520 Series|CT540|CT580|CT580 RT|CT580 W|CT660|CT670|CT680|NM/CT 640
        Optima CT660: Select|Pro|SE|FREEdom
        ~Revolution: CT|CT ES|CT EX|EVO|HD|GSI|ACT|ACTs|Apex|Apex Elite|Apex Expert|Apex Plus|Ascend
        ~Revolution: Ascend Plus|Ascend Elite|Frontier|Frontier ES|Frontier EX|Maxima|Maxima Select
        ~Revolution: Discovery CT|RT|Vibe|Xpert
        ~Discovery: CT750 HD|CT750HD|CT590 RT|CT590RT|CT 590 RT|RT|LS|ST|STE|STEP|RX|VCT|HD|MI|MI DR
        ~Discovery: MI Gen2|IQ|IQ Gen2|CT750 HD FREEdom|PET/CT 610|PET/CT 690|690|710|610|600|NM/CT 670
        ~Discovery: NM/CT 670 Pro|NM/CT 850|NM/CT 870
        ~Omni: Legend
        Brivo: CT315|CT325|CT335|CT385
        CT Sytec: 1800i|2000i|3000|3000i|4000i|SRi
        Sytec: 1800i|2000i|3000|3000i|4000i|SRi|Synergy
        ~CT MAX: 640
        ~CT HiSpeed: Advantage
        ~CT: 9000|9800|9800 Quick
        RHAPSODE
        eSpeed
        ~NM/CT: 670|850|860|870 DR|870 CZT
        ~Infinia Hawkeye: 4
        =Hawkeye
        =CardioGraphe
    """,
    "Siemens": """
        SOMATOM: Definition|Definition AS|Definition AS+|Definition AS 20|Definition AS 64
        SOMATOM: Definition AS Open|Definition Edge|Definition Flash|Definition DS|Force|Drive|Edge Plus
        SOMATOM: Confidence|Confidence RT Pro|Perspective|Scope|Scope Power|Spirit|Spirit Power|Emotion
        SOMATOM: Emotion 6|Emotion 16|Emotion Duo|Balance|Sensation|Sensation 4|Sensation 10|Sensation 16
        SOMATOM: Sensation 40|Sensation 64|Sensation Cardiac|Sensation Cardiac 64|Sensation Open
        SOMATOM: Volume Zoom|Volume Access|Plus|Plus 4|Plus 4 Power|Plus S|Smile|AR.STAR|AR.T|AR.C|AR.HP
        SOMATOM: AR.SP|HiQ|HiQ S|DR|DRG|DRH|CR|Esprit|go.Now|go.Up|go.All|go.Top|go.Sim|go.Fit|go.Open
        SOMATOM: go.Open Pro|go.Platform|X.cite|X.ceed|X.creed|X.serve|On.site|Pro.Pulse
        Somatom PLUS 4: VA1|VB1|Expert
        NAEOTOM Alpha: Peak|Pro|Prime
        ~Definition: AS|AS+|AS 20|AS 64|Edge|Flash|DS
        ~Sensation: 4|10|16|40|64|Cardiac|Cardiac 64|Open|16 Straton
        ~Emotion: 6|16|Duo|6 (2007)|16 (2007)|6 2007|16 2007|6 eco|16 eco
        =Sensation
        =Emotion
        =Definition
        =Perspective
        =Spirit
        =Force
        =Drive
        =Scope
        Volume Zoom
        Biograph: 2|6|10|16|20|40|64|128|Duo|TruePoint|mCT|mCT 20|mCT 40|mCT 64|mCT 128|mCT Flow|Horizon
        Biograph: Vision|Trinion|Vision 450|Vision 600|Vision Quadra|Vision.X|6 TruePoint|16 TruePoint
        Biograph: 40 TruePoint|64 TruePoint|6_TruePoint|128_mCT|64_mCT|40_mCT|20_mCT|mCT Flow 64|Horizon 3R
        Biograph: Horizon 4R|BGO|One
        Symbia: T|T2|T6|T16|TruePoint|Intevo|Intevo 2|Intevo 6|Intevo 16|Intevo Bold|Intevo Excel
        Symbia: Pro.specta
    """,
    "Philips": """
        =Precedence
        Brilliance: 6|10|16|16P|40|64|128|CT|Big Bore|16 Air|iCT|iCT SP|iCT 256|iCT 128|CT Big Bore|190P
        Brilliance: ICT TVI
        Ingenuity: CT|Core|Core 64|Core 128|Core128|Flex|Flex 16|Flex 32|Elite|TF|TF PET/CT|PET/CT|64|128
        iCT: 128|256|SP|Elite|Family
        IQon: Spectral CT|Elite Spectral CT|Spectral
        Incisive: CT|CT 64|CT 128|CT Plus
        ~Spectral CT: 7500|7500 RT
        ~CT: 5000 Ingenuity|5100|5100 - Incisive|5300|6000 iCT|7500|Big Bore|Aura|Secura|Tomoscan
        ~CT Big Bore: RT|Sliding
        ~MX: 8|16|16-slice|16EVO|16 EVO|4000 Dual
        Mx8000: IDT|IDT 10|IDT 16|IDT 40|D|Dual|Dual v.EXP|Dual EXP|Quad|4|2|EXP
        ~Philips CT: Aura|Secura
        ~PQ: 2000|2000S|5000|6000
        UltraZ
        AcQSim: CT|MCT
        Tomoscan: AV|AVE|AV EU|AVPS|AVP1|M|M EG|SR 4000|SR 5000|SR 6000|SR 7000|LX|CX|CX/Q|60/TX|310|350
        Gemini: GXL|GXL 6|GXL 10|GXL 16|TF|TF 16|TF 64|TF TOF 16|TF TOF 64|TF Ready|TF Big Bore|Dual|LXL
        Vereos: PET/CT
        ~Precedence: 16P|6P|6|16|SPECT/CT
        ~BrightView: XCT
        ~Access CT: 16|32
        ~CT Twin: II|RTS|Flash|TT
        ~Elscint: 2400|Exel|Twin|Twin II
    """,
    "Canon": """
        Aquilion: 4|8|16|32|64|CX|CXL|LB|RXL|Start|Multi|Super 4|VZ|TSX-101A|S16|Large Bore|Exceed LB|Rise
        Aquilion: Serve|Serve SP|ONE|ONE ViSION|ONE GENESIS|ONE PRISM|ONE NATURE|ONE INSIGHT
        Aquilion: ONE / ViSION Edition|ONE / GENESIS Edition|ONE / PRISM Edition|ONE / NATURE Edition|Prime
        Aquilion: Prime 80|Prime 160|Prime SP|Lightning|Lightning 80|Lightning 160|Lightning SP
        Aquilion: Lightning Helios|Precision|Prime SP i Edition|PRIME / iDREAM Edition
        Asteion: 4|S4|VP|VR|VF|VI|Dual|Multi|Super 4|TSX-021A|TSX-021B
        Activion: 16
        Alexion: 4|16|Access|Advance
        Auklet: TSX-003A
        Astelion: Advance
        Celesteion: PET/CT
        Cartesion: Prime
        ~X vision: EX|GX|SP|TX|RT
        Xvision: EX|GX|SP
        ~Xpress: GX|SX|HS|HS1
        ~TCT: 300|500S|600|600S|700S|900S|60A
        ~TSX-: 002A|003A|011A|012A|021A|021B|031A|032A|033A|034A|035A|036A|037A|101A|201A|202A|301A|301B
        ~TSX-: 301C|302A|303A|303B|304A|305A|306A|307A
    """,
    "Hitachi": """
        =Radix
        =Pronto
        SCENARIA: View|View Focus|SE|EX|View Plus|64|128|Focus
        Supria: Grande|True64|Plus|Optica|16|Advance|Grande Optica
        ECLOS: 4|8|16|S16
        ~Pronto: SE|XE|XI|S|FR
        ~Radix: Turbo|Prima|Pratico|Lucas|TURBO CT
        ~CT-W: 400|450|500|600|700|800|950SR|2000|3000
        ROBUSTO: Ei|EX
        ~FCT: Speedia|Speedia HD|Embrace|iStream
        =Presto
        ~Presto: CT
        ~Pratico: FR
    """,
    "Neusoft": """
        NeuViz: 2|4|8|16|64|64e|64i|64 In|128|Dual|Dual Plus|Epoch|Epoch+|Glory|Glory+|Prime|ACE
        NeuViz: ACE SP|ACE UP|ACE 64e|ACE 128|Premium|Extra|16 Essence|16 Classic|Essence|P10|TAIJI|Quantum
        NeuViz: In 64|Ultra
        NeuSight: PET/CT|64 PET/CT
        ~CT-C: 2000|2800|3000
    """,
    "United Imaging": """
        uCT: 500|503e|510|520|528|530|530+|550|550+|568|610|610 Sim|620|710|760|768|780|820|860|870|880|960
        uCT: 960+|968|980|ATLAS|ATLAS Astound|ORION|S-160|SiriuX|520+|528+|510+|540
        uMI: 510|550|780|780X|Vista|Panorama|Panorama GS|Panvivo
        uEXPLORER
        uRT-linac: 506c
    """,
    "NeuroLogica": """
        CereTom: NL3000|Elite|NL 3000
        BodyTom: NL4000|Elite|32|64
        OmniTom: Elite|NL5000|Elite PCD
    """,
    "Anke": """
        =ANATOM
        ~ANATOM: 16|16HD|16 HD|32|32 Fit|64|64 Fit|64 Clarity|128|Precision|S400|S800|TALENT|Smart
    """,
    "MinFound": """
        ScintCare: 16|16E|16P|64|128|CT 16|CT 16E|CT 16P|CT 64|CT 128|PET/CT|600|710 T|730 T|750 T|755 T
        ScintCare: PET/CT 520|PET/CT 730
        QuantumEye: 789|797|CT 64|CT 128
    """,
    "SinoVision": """
        Insitum: 16|16S|32|64|64S|128|169|338|768|CT 16|CT 64|CT 338|CT 768
    """,
    "Shimadzu": """
        ~SCT: 2500T|3000T|4500T|4800T|5000T|6800T|6800TX|7000T|7000TS|7000TX|7800T|7800TC|7800TX
    """,
    "Kangda": """
        Apsaras: 16|32
    """,
    "Mediso": """
        AnyScan: PC|SC|SPC|TRIO
        nanoScan: PET/CT|SPECT/CT
    """,
}

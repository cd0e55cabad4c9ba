"""Who made the scanner of an image, asked of everything in its header that a maker writes (pure)."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nameplate_ingest.fields.device import maker_of_model
from nameplate_ingest.fields.manufacturer import OWN_WORKSTATIONS, named
from nameplate_ingest.fields.software import maker_of_software

# Workstations, archives, anonymisers and treatment machines that write their own name over the scanner's.
_WORKSTATIONS = (
    *("3dslicer", "slicer", "accuray", "agfa", "aidoc", "anonym", "anonim", "aquarius", "barco", "brainlab"),
    *(
        "carestream",
        "changehealthcare",
        "clearcanvas",
        "clinicaltrial",
        "dcm4che",
        "dcmtk",
        "deidentif",
        "efilm",
    ),
    *("elekta", "emageon", "fuji", "gdcm", "hermes", "horos", "icad", "impax", "infinitt", "insightec"),
    *(
        "intelerad",
        "ischemaview",
        "itk",
        "kodak",
        "materialise",
        "mathworks",
        "matlab",
        "mckesson",
        "medtronic",
    ),
    *(
        "merge",
        "mevis",
        "mim",
        "mimics",
        "nibabel",
        "offis",
        "orthanc",
        "osirix",
        "pixelmed",
        "pixmeo",
        "plastimatch",
    ),
    *(
        "pydicom",
        "radiant",
        "raysearch",
        "raystation",
        "riverain",
        "rsna",
        "sectra",
        "stealthstation",
        "stryker",
    ),
    *("synapse", "terarecon", "tomotherapy", "varian", "visage", "vitalimages", "vitrea", "xnat", "ziosoft"),
)
# Their scanners turn a cone beam around a seated head: no HU that a plain head could be read by.
_CONE_BEAM = (
    *(
        "asahiroentgen",
        "carestreamdental",
        "curvebeam",
        "dentsply",
        "genoray",
        "imagingsciences",
        "instrumentarium",
    ),
    *(
        "jmorita",
        "morita",
        "kavo",
        "largev",
        "newtom",
        "planmeca",
        "planmed",
        "prexion",
        "qrsrl",
        "sirona",
        "soredex",
    ),
    *("vatech", "xoran"),
)

# Private creators that a CT scanner of the maker writes; those that its workstations and archives write
# into any image (GEIIS, SIEMENS MEDCOM HEADER and CSA HEADER, Philips Imaging DD 001, TOSHIBA_MEC_1.0) say
# nothing.
_CREATORS = (
    (
        "GE",
        (
            "gemsacqu",
            "gemsiden",
            "gemsparm",
            "gemshelios",
            "gemsctcardiac",
            "gemscthd",
            "gemscthino",
            "gemsctves",
        ),
    ),
    ("Siemens", ("siemensctva",)),
    ("Philips", ("elscint1",)),
    ("Canon", ("toshibamecct", "pmtfinformation")),
)
# Roots under which the makers' CT scanners number their images.
_ROOTS = (
    ("GE", "1.2.840.113619.2."),
    ("Siemens", "1.3.12.2.1107.5.1."),
    ("Philips", "1.3.46.670589.33."),
    ("Philips", "1.2.840.113704."),
    ("Canon", "1.2.392.200036.9116.2."),
    ("Neusoft", "1.2.156.14702."),
    ("United Imaging", "1.2.156.112605."),
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made the scanner; ``name`` is None if nothing tells it for certain."""

    name: str | None
    seen: str
    """What named it, or why nothing did: words of this code, never text of the header."""


def scanner_of(
    manufacturer: str,
    *,
    model: str = "",
    creators: Collection[str] = (),
    uids: Collection[str] = (),
    software: str = "",
) -> Maker:
    """Who made the scanner of an image, from all that its header says.

    ``creators`` are the private creators of the image, ``uids`` the UIDs of its instance and series (not of
    its study, which a booking system may have made). Manufacturer and private creators must agree; a model
    of another maker does not count against the header. Where none of them tells, UIDs and software may, if
    these agree. A cone beam scanner has no maker here.
    """
    header, told = named(manufacturer), _header(manufacturer)
    witnesses = {
        "the model": frozenset(filter(None, (maker_of_model(model),))),
        "the private elements": frozenset(_of_creators(creators)),
    }
    if told == "a cone beam scanner's name":
        return Maker(None, told)
    if not header and not any(witnesses.values()):
        witnesses = {
            "the UIDs": frozenset(
                maker for maker, root in _ROOTS if any(uid.startswith(root) for uid in uids)
            ),
            "the software": frozenset(filter(None, (maker_of_software(software),))),
        }
    if len(header) == 1:
        witnesses = {"the header": frozenset(header), **witnesses}
    speaking = [(witness, makers) for witness, makers in witnesses.items() if makers]
    if not speaking:
        return Maker(None, told)
    for witness, makers in speaking:
        if len(makers) > 1:
            return Maker(None, f"{witness} {_verb(witness, 'names')} {len(makers)} manufacturers")
    (first, (maker,)), *others = ((witness, tuple(makers)) for witness, makers in speaking)
    for witness, (other,) in others:
        if other == maker:
            continue
        both = f"{first} {_verb(first, 'names')} {maker}, {witness} {_verb(witness, 'is')} {_whose(other)}"
        if first == "the header" and witness == "the model":
            # Scanners are sold under another maker's name, and models are typed by hand: the header holds.
            return Maker(maker, both)
        return Maker(None, both)
    if len(header) > 1 and maker not in header:
        return Maker(None, f"the header names {len(header)} manufacturers, {first} another one")
    return Maker(maker, f"named by {first}" if first == "the header" else f"{told}, named by {first}")


def agreed(makers: Iterable[Maker], listed: frozenset[str]) -> tuple[str, str]:
    """The one manufacturer that headers and the user's list agree on, or why there is none; no guess."""
    told = set(makers)
    names = {maker.name for maker in told if maker.name} | listed
    if len(names) == 1:
        return next(iter(names)), ""
    if names:
        return "", f"header and list name {len(names)} manufacturers"
    return "", f"{min(maker.seen for maker in told)}; not in the list"


def _header(manufacturer: str) -> str:
    """What kind of name the Manufacturer element holds, for a reason."""
    if not manufacturer.strip():
        return "header blank"
    makers = named(manufacturer)
    if makers:
        return f"the header names {len(makers)} manufacturers" if len(makers) > 1 else "header known"
    words = _WORD.findall(manufacturer.casefold())
    tails = ["".join(words[start:]) for start in range(len(words))]
    if any(tail.startswith(_CONE_BEAM) for tail in tails):
        return "a cone beam scanner's name"
    known = (*_WORKSTATIONS, *OWN_WORKSTATIONS)
    return "a workstation's name" if any(tail.startswith(known) for tail in tails) else "header unknown"


def _of_creators(creators: Collection[str]) -> set[str]:
    plain = ["".join(_WORD.findall(creator.casefold())) for creator in creators]
    return {maker for maker, starts in _CREATORS if any(creator.startswith(starts) for creator in plain)}


def _verb(witness: str, singular: str) -> str:
    plural = {"names": "name", "is": "are"}
    return plural[singular] if witness.endswith("s") else singular


def _whose(maker: str) -> str:
    return f"{maker}'" if maker.endswith("s") else f"{maker}'s"

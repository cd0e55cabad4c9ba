"""What may be sent to us by C-STORE: kinds of objects, each as it is stored."""

from collections.abc import Iterator

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLETransferSyntaxes,
)
from pynetdicom import AllStoragePresentationContexts, build_context, sop_class
from pynetdicom.presentation import PresentationContext

_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_COMPRESSED = (
    *(DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian),
    *(*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEG2000TransferSyntaxes, *RLETransferSyntaxes),
)
_IMAGES = (
    sop_class.CTImageStorage,  # type: ignore[attr-defined]
    sop_class.EnhancedCTImageStorage,  # type: ignore[attr-defined]
    sop_class.LegacyConvertedEnhancedCTImageStorage,  # type: ignore[attr-defined]
    sop_class.SecondaryCaptureImageStorage,  # type: ignore[attr-defined]
)
"""What a CT study is made of: in whichever syntax it is stored."""
_OTHERS = (
    *(
        "MultiFrameSingleBitSecondaryCaptureImageStorage",
        "MultiFrameGrayscaleByteSecondaryCaptureImageStorage",
    ),
    *(
        "MultiFrameGrayscaleWordSecondaryCaptureImageStorage",
        "MultiFrameTrueColorSecondaryCaptureImageStorage",
    ),
    *("BasicTextSRStorage", "EnhancedSRStorage", "ComprehensiveSRStorage", "Comprehensive3DSRStorage"),
    *("XRayRadiationDoseSRStorage", "PatientRadiationDoseSRStorage", "KeyObjectSelectionDocumentStorage"),
    *("GrayscaleSoftcopyPresentationStateStorage", "ColorSoftcopyPresentationStateStorage"),
    *("PseudoColorSoftcopyPresentationStageStorage", "BlendingSoftcopyPresentationStateStorage"),
    *("RTImageStorage", "RTDoseStorage", "RTStructureSetStorage", "RTPlanStorage", "SegmentationStorage"),
    *("SpatialRegistrationStorage", "SpatialFiducialsStorage", "DeformableSpatialRegistrationStorage"),
    *("SurfaceSegmentationStorage", "ParametricMapStorage", "RawDataStorage", "EncapsulatedPDFStorage"),
    *("MRImageStorage", "EnhancedMRImageStorage", "PositronEmissionTomographyImageStorage"),
    *("NuclearMedicineImageStorage", "ComputedRadiographyImageStorage", "UltrasoundImageStorage"),
    *("DigitalXRayImageStorageForPresentation", "XRayAngiographicImageStorage"),
    *("CTPerformedProcedureProtocolStorage", "EncapsulatedCDAStorage", "EncapsulatedSTLStorage"),
    *("VLPhotographicImageStorage", "AdvancedBlendingPresentationStateStorage"),
    *("TwelveLeadECGWaveformStorage",),
)
"""What else a study may hold, named so that its images are all there; none of it becomes an exam."""
_SOMETIMES = {
    "MultiFrameGrayscaleByteSecondaryCaptureImageStorage": (
        JPEGBaseline8Bit,
        JPEGLosslessSV1,
        JPEG2000Lossless,
    ),
    "MultiFrameTrueColorSecondaryCaptureImageStorage": (JPEGBaseline8Bit, JPEGLosslessSV1, JPEG2000Lossless),
    "MRImageStorage": (JPEGLosslessSV1, JPEG2000Lossless),
    "PositronEmissionTomographyImageStorage": (JPEGLosslessSV1, JPEG2000Lossless),
    "UltrasoundImageStorage": (JPEGBaseline8Bit,),
}
"""Of these, how they are often compressed: no more than 128 offers fit into one association."""
_PRIVATE = ("1.3.12.2.1107.5.9.1",)
"""Siemens CSA Non-Image Storage."""


def unusual_contexts() -> Iterator[PresentationContext]:
    """One for each standard kind of object that ``storage_contexts`` has not; 127 at most."""
    usual = {*_IMAGES, *(getattr(sop_class, name) for name in _OTHERS)}
    for context in AllStoragePresentationContexts:
        if context.abstract_syntax not in usual:
            yield build_context(str(context.abstract_syntax), list(_PLAIN))


def storage_contexts() -> Iterator[PresentationContext]:
    """One for each kind of object and syntax, so that the sender can choose what it has; 127 at most."""
    for kind in _IMAGES:
        for syntax in (*_PLAIN, *_COMPRESSED):
            yield build_context(kind, syntax)
    for name in _OTHERS:
        yield build_context(getattr(sop_class, name), list(_PLAIN))
        for syntax in _SOMETIMES.get(name, ()):
            yield build_context(getattr(sop_class, name), syntax)
    for uid in _PRIVATE:
        yield build_context(uid, list(_PLAIN))

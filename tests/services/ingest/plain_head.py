"""A plain head as the rules see it, for tests that change one thing about it."""

from nameplate_ingest.choice.facts import Facts
from nameplate_ingest.dicom.statements import Statements

SAYS = Statements(
    series="Head 5.0 H31s",
    study="CT head",
    protocol="Head routine",
    body_part="HEAD",
    agent="",
    contrast=(),
    image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    units="HU",
    times=1,
    kvp=120.0,
    diameter_mm=230.0,
    multienergy=False,
)
FACTS = Facts(
    uid="1",
    says=(SAYS,),
    kernel="H31s",
    slices=30,
    thickness_mm=5.0,
    thickest_mm=5.0,
    coverage_mm=145.0,
    field_mm=230.0,
    wide_mm=230.0,
    axial_degrees=3.0,
    widest_gap_mm=5.0,
    growth=1.0,
    duplicates=0,
    stray_gaps=0,
    hole=None,
)

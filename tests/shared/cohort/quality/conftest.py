"""Made-up exams and ledgers for the quality pages."""

import zlib
from collections.abc import Callable

import numpy as np
import pytest

from nameplate.cohort.quality.card import ExamCard
from nameplate.image.png import png_bytes
from nameplate.steps.ingest import Exam, LedgerRow


def make_card(number: int, maker: str = "GE", **other) -> ExamCard:
    """An exam much like the others; named fields of the record or of the card are as given."""
    record = {
        "exam": f"e{number:016x}",
        "patient": f"p{number:016x}",
        "image": f"images/e{number:016x}.nii.gz",
        "manufacturer": maker,
        "model": "Model 16",
        "software": "software-not-shown",
        "kernel": "H31s",
        "institution": "i00000000000000ff",
        "age": 61.0,
        "sex": "F",
        "kvp": 120.0,
        "exposure_mas": 250.0,
        "thickness_mm": 5.0,
        "gaps_mm": (5.0,),
        "pixel_mm": 0.45 + 0.002 * (number % 5),
        "tilt_degrees": 0.0,
        "source_slices": 30,
        "slices": 30 + number % 3,
    }
    card = {
        "volume_ml": 1400.0 + 10 * (number % 7),
        "brain_hu": 34.0 + 0.1 * (number % 4),
        "picture": png_bytes(np.full((140, 476), number % 16, np.uint8), [(9, 9, 9)] * 16),
    }
    for name, value in other.items():
        (record if name in Exam.model_fields and name != "flags" else card)[name] = value
    return ExamCard(exam=Exam(**record), **card)


def make_row(number: int, rule: str, **other) -> LedgerRow:
    """A row of the ledger for a series of one exam."""
    given = {
        "item": "series",
        "id": f"s{number:08x}{zlib.crc32(rule.encode()):08x}",
        "exam": f"e{number:016x}",
        "verdict": "chosen" if rule == "chosen" else "refused",
        "rule": rule,
        "seen": f"what {rule} saw",
        "files": 30,
        "manufacturer": "GE",
    }
    return LedgerRow(**{**given, **other})


@pytest.fixture
def card() -> Callable[..., ExamCard]:
    return make_card


@pytest.fixture
def ledger_row() -> Callable[..., LedgerRow]:
    return make_row

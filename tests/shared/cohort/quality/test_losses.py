"""What was refused and lost by manufacturer: the counts by hand, and how often chance raises a warning."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.cohort.quality.losses import (
    ANY,
    NOT_CHOSEN,
    OTHER,
    UNKNOWN,
    differences_of,
    losses_of,
    warnings_of,
)
from nameplate.steps.ingest import LedgerRow

RULES = ("chosen", NOT_CHOSEN, "contrast", "thickness", "missing-slice")


def row(exam: str | None, rule: str, maker: str = "GE", files: int = 30, **other) -> LedgerRow:
    given = {"item": "series", "id": f"s{exam}{rule}{files}", "seen": "", **other}
    return LedgerRow(
        exam=exam,
        rule=rule,
        verdict="chosen" if rule == "chosen" else "refused",
        manufacturer=maker,
        files=files,
        **given,
    )


def cohort(maker: str, kept: int, lost: int, rule: str = "missing-slice") -> list[LedgerRow]:
    exams = [row(f"e{maker}{number}", "chosen", maker) for number in range(kept)]
    return exams + [row(f"e{maker}x{number}", rule, maker) for number in range(lost)]


def test_counts_of_a_small_ledger() -> None:
    ledger = [
        row("e1", "chosen"),
        row("e1", NOT_CHOSEN),
        row("e1", "contrast"),
        row("e1", "contrast", files=31),
        row("e2", "image-type", "", files=2),
        row("e2", "thickness", "Siemens", files=20),
        row("e3", "chosen", "Siemens"),
        row("e4", "image-type", "", files=1),
        row("e1", "duplicate-slice", "", item="file", files=3),
        row(None, "not-dicom", "", item="file", files=4),
    ]
    losses = losses_of(ledger, later={"e3": "skullstrip: too-small"})
    assert losses.manufacturers == ("Siemens", "GE", UNKNOWN)
    assert losses.exams == (2, 1, 1)
    found = {loss.reason: loss for loss in losses.reasons}
    assert next(iter(found)) == ANY
    assert found[ANY].lost == (2, 0, 1)
    assert found[ANY].concerned == (2, 1, 1)
    assert found[ANY].series == (2, 2, 1)  # what was outranked is no fault
    assert found[ANY].files == 7
    assert (found["contrast"].lost, found["contrast"].concerned, found["contrast"].series) == (
        (0, 0, 0),
        (0, 1, 0),
        (0, 2, 0),
    )
    assert found["thickness"].lost == (1, 0, 0)  # the larger of the two series
    assert found["skullstrip: too-small"].lost == (1, 0, 0)
    assert found["image-type"].lost == (0, 0, 1)
    assert found[NOT_CHOSEN].series == (0, 1, 0)
    assert found[NOT_CHOSEN].p_concerned is None
    assert found["not-dicom"].files == 4


def test_studies_of_a_table_that_no_file_is_of_are_counted_and_are_no_exams() -> None:
    unused = row(None, "not-in-folder", "", item="table", files=0, studies=7)
    losses = losses_of([row("e1", "chosen"), row(None, "not-dicom", "", item="file", files=4), unused])
    assert losses.exams == (1,)
    found = {loss.reason: (loss.lost, loss.files, loss.studies) for loss in losses.reasons}
    assert found == {ANY: ((0,), 4, 7), "not-dicom": ((0,), 4, 0), "not-in-folder": ((0,), 0, 7)}


def test_the_doubtful_series_is_why_an_exam_is_lost() -> None:
    ledger = [row("e1", "thickness", files=500), row("e1", "picture", files=20, doubtful=True)]
    found = {loss.reason: loss.lost for loss in losses_of(ledger).reasons}
    assert found == {ANY: (1,), "picture": (1,), "thickness": (0,)}


def test_rare_manufacturers_are_counted_together() -> None:
    makers = ["A", "A", "B", "B", "C", "C", "D", "D", "E", "F"]
    ledger = [row(f"e{number}", "chosen", maker) for number, maker in enumerate(makers)]
    losses = losses_of(ledger)
    assert losses.manufacturers == ("A", "B", "C", "D", OTHER)
    assert losses.exams == (2, 2, 2, 2, 2)


def test_a_difference_is_said_in_one_sentence() -> None:
    losses = losses_of(cohort("GE", 69, 12) + cohort("Siemens", 79, 2))
    first, second = warnings_of(losses)
    assert first.startswith(
        "Exams of GE were lost more often than of Siemens: 12 of 81 against 2 of 81 (p = 0.0"
    )
    assert first.endswith("Selection itself can be the bias.")
    assert "because of missing-slice: 12 of 81 against 2 of 81" in second
    assert differences_of(losses) == ()  # it is said already


def test_series_refused_without_loss_are_a_difference_and_no_warning() -> None:
    ledger = cohort("GE", 40, 0) + cohort("Siemens", 40, 0)
    ledger += [row(f"eGE{number}", "contrast", "GE") for number in range(20)]
    losses = losses_of(ledger)
    assert warnings_of(losses) == ()
    (line,) = differences_of(losses)
    said = "Series were refused because of contrast in more exams of GE than of Siemens: 20 of 40 against 0"
    assert line.startswith(said)


def test_an_unknown_manufacturer_is_counted_and_not_tested() -> None:
    losses = losses_of(cohort("GE", 40, 0) + cohort("Siemens", 40, 0) + cohort("", 0, 30, "manufacturer"))
    assert losses.manufacturers == ("GE", "Siemens", UNKNOWN)
    assert losses.reasons[0].lost == (0, 0, 30)
    assert losses.reasons[0].p_lost is None
    assert warnings_of(losses) == ()


def test_nothing_to_count() -> None:
    losses = losses_of([])
    assert losses.manufacturers == ()
    assert [loss.reason for loss in losses.reasons] == [ANY]
    assert warnings_of(losses) == differences_of(losses) == ()


rows = st.lists(
    st.builds(
        row,
        st.sampled_from([f"e{number}" for number in range(12)]),
        st.sampled_from(RULES),
        st.sampled_from(["", "GE", "Siemens", "Philips"]),
        st.integers(1, 99),
        doubtful=st.booleans(),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_every_exam_is_kept_or_lost_once_in_any_order(ledger: list[LedgerRow], random) -> None:
    losses = losses_of(ledger)
    exams = {one.exam for one in ledger}
    kept = {one.exam for one in ledger if one.verdict == "chosen"}
    assert sum(losses.exams) == len(exams)
    first, *others = losses.reasons
    assert sum(first.lost) == len(exams) - len(kept)
    assert tuple(map(sum, zip(*(loss.lost for loss in others), strict=True))) == (
        first.lost if others else ()
    )
    for loss in losses.reasons:
        assert all(a <= b <= n for a, b, n in zip(loss.lost, loss.concerned, losses.exams, strict=True))
        assert all(b <= c or loss is first for b, c in zip(loss.concerned, loss.series, strict=True))
    shuffled = list(ledger)
    random.shuffle(shuffled)
    assert losses_of(shuffled) == losses


def test_chance_rarely_raises_a_warning() -> None:
    """100 cohorts in which every manufacturer loses exams at the same rates, for four reasons."""
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(100):
        ledger = []
        for number in range(160):
            maker = ("GE", "Siemens", "Philips")[int(rng.integers(3))]
            drawn = rng.choice(
                ["chosen", "contrast", "thickness", "gap", "coverage"], p=[0.7, 0.1, 0.1, 0.05, 0.05]
            )
            ledger.append(row(f"e{number}", str(drawn), maker))
        false += bool(warnings_of(losses_of(ledger)))
    assert false <= 11  # 5 % of 100, and three standard errors

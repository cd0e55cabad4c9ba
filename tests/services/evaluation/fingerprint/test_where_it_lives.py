from collections.abc import Callable

import numpy as np
import pytest

from nameplate_evaluation.fingerprint import where_it_lives
from nameplate_evaluation.fingerprint.features import NOT_KEPT
from nameplate_evaluation.fingerprint.where_it_lives import (
    EVERY_NUMBER,
    NETWORKS,
    CohortFingerprint,
    Fingerprint,
)


def only(fingerprint: Fingerprint) -> CohortFingerprint:
    (cohort,) = fingerprint.cohorts
    return cohort


def named(cohort: CohortFingerprint) -> set[tuple[str, str]]:
    return {(place.group, place.stage) for place in cohort.places if place.named}


def test_what_was_planted_is_found_and_nothing_else(planted_fingerprint: Fingerprint) -> None:
    cohort = only(planted_fingerprint)
    found = named(cohort)
    certain = {
        *(("noise texture", stage) for stage in ("as read", "nifti", "windowed")),
        *(("field", stage) for stage in ("as read", "nifti", "windowed")),
        *(("surroundings", stage) for stage in ("as read", "nifti")),
        *((EVERY_NUMBER, stage) for stage in ("as read", "nifti", "windowed")),
        ("padding", "as read"),
        ("header", "as read"),
        *((place.group, NETWORKS) for place in cohort.places if place.stage == NETWORKS),
    }
    weak = {("tissue", "as read"), ("tissue", "nifti"), ("noise texture", "brain alone")}
    assert certain <= found
    assert found <= certain | weak | {(EVERY_NUMBER, "brain alone")}


def test_places_without_numbers_do_not_exist(planted_fingerprint: Fingerprint) -> None:
    cohort = only(planted_fingerprint)
    assert cohort.place("field", "brain alone") is None
    assert cohort.place("header", "nifti") is None
    assert cohort.place("padding", "windowed") is None
    assert cohort.groups[:3] == ("header", "protocol", "noise texture")
    assert cohort.groups[-1] == "Find the sphere, trained on Siemens"


def test_without_a_fingerprint_everything_is_inside(with_measures: Callable[..., object]) -> None:
    cohort = only(with_measures(0.0).fingerprint())  # type: ignore[attr-defined]
    assert named(cohort) == set()
    assert cohort.carriers == ()
    protocol = cohort.place("protocol", "as read")
    assert protocol is not None
    assert (protocol.auroc, protocol.low, protocol.note) == (0.5, 0.5, "the same in all exams")


def test_bands_and_p_values(planted_fingerprint: Fingerprint) -> None:
    for place in only(planted_fingerprint).places:
        assert place.auroc is not None
        assert place.low is not None
        assert place.high is not None
        assert place.p is not None
        assert place.p_family is not None
        assert place.low <= 0.5 <= place.high
        assert place.p <= place.p_family <= 1
        if place.auroc > place.high + 0.1:
            assert place.p < 0.03
        assert (place.runs is None) == (place.stage != NETWORKS)


def test_the_strongest_measures_are_named_with_their_values(planted_fingerprint: Fingerprint) -> None:
    carriers = {carrier.title: carrier for carrier in only(planted_fingerprint).carriers}
    peak = carriers["peak of the noise spectrum"]
    assert (peak.group, peak.unit, peak.stage) == ("noise texture", "/mm", "as read")
    assert peak.values[0].startswith("0.3")
    assert peak.best > 0.85
    padding = carriers["value outside the circle"]
    assert padding.aurocs == (1.0, None, None, None)
    assert padding.values == ("−1024 (25), −3024 (25)", "−2000 (50)")
    assert carriers["scanner model"].values == ("scanner A (50)", "scanner B (50)")
    assert "convolution kernel" not in carriers or carriers["convolution kernel"].best < 0.7


def test_the_same_inputs_in_any_order_give_the_same(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    turned = made.with_measured(made.measured[::-1])  # type: ignore[attr-defined]
    one, other = only(made.fingerprint(50)), only(turned.fingerprint(50))  # type: ignore[attr-defined]
    assert one.places == other.places
    assert one.carriers == other.carriers


def test_a_store_without_measures(with_measures: Callable[..., object]) -> None:
    cohort = only(with_measures().older().fingerprint(50))  # type: ignore[attr-defined]
    assert cohort.reason == "no measures of this cohort's exams are kept"
    assert (cohort.places, cohort.carriers, cohort.cells) == ((), (), ())


def test_a_store_with_features_alone(with_measures: Callable[..., object]) -> None:
    made = with_measures().with_measured(())  # type: ignore[attr-defined]
    cohort = only(made.fingerprint(50))
    assert cohort.reason == "no measures of this cohort's exams are kept"
    assert {place.stage for place in cohort.places} == {NETWORKS}
    assert all(place.auroc is not None for place in cohort.places)
    assert len(cohort.cells) == 2


def test_a_store_with_measures_alone(with_measures: Callable[..., object]) -> None:
    made = with_measures().with_features(lambda _, __: None)  # type: ignore[attr-defined]
    cohort = only(made.fingerprint(50))
    networks = [place for place in cohort.places if place.stage == NETWORKS]
    assert cohort.reason == ""
    assert len(networks) == 2
    assert all(place.auroc is None and place.note == NOT_KEPT.reason for place in networks)
    assert not any(place.named for place in networks)


def test_a_stage_without_rows_is_empty(with_measures: Callable[..., object]) -> None:
    cohort = only(with_measures(stages=("as read", "windowed")).fingerprint(50))  # type: ignore[attr-defined]
    assert {place.stage for place in cohort.places} == {"as read", "windowed", NETWORKS}


@pytest.mark.parametrize("exams", [1, 4])
def test_too_few_exams_say_so(exams: int, with_measures: Callable[..., object]) -> None:
    made = with_measures(exams=2 * exams, val=0)
    cohort = only(made.fingerprint(50))  # type: ignore[attr-defined]
    assert cohort.reason.startswith("too few exams (GE: ")
    assert (cohort.places, cohort.cells) == ((), ())


def test_numbers_that_are_missing_in_most_exams(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    rows = [
        row.model_copy(
            update={
                "numbers": row.numbers | {"table_water_mm": None, "hu_csf": float("nan")},
                "missing": {"table_water_mm": "no table is seen", "hu_csf": "other"},
            }
        )
        for row in made.measured  # type: ignore[attr-defined]
    ]
    cohort = only(made.with_measured(rows).fingerprint(50))  # type: ignore[attr-defined]
    place = cohort.place("surroundings", "as read")
    assert place is not None
    assert (place.auroc, place.note) == (None, "too few exams have these numbers (no table is seen)")
    together = cohort.place(EVERY_NUMBER, "as read")
    assert together is not None
    assert together.note.endswith("; too few exams have: HU of CSF, Table as water")


def test_numbers_that_one_level_lacks_are_not_compared(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    rows = []
    for row in made.measured:  # type: ignore[attr-defined]
        lacks = {"noise_sd": None, "field_mm": None} if "Siemens" in row.exam else {}
        rows.append(row.model_copy(update={"numbers": row.numbers | lacks}))
    cohort = only(made.with_measured(rows).fingerprint(50))  # type: ignore[attr-defined]
    amount = cohort.place("noise amount", "nifti")
    assert amount is not None
    assert (amount.auroc, amount.named, amount.note) == (None, False, "missing for Siemens")
    texture = cohort.place("noise texture", "nifti")
    assert texture is not None
    assert texture.note == "missing for Siemens: correlation of neighbouring slices"
    assert texture.named
    assert "field" not in {carrier.group for carrier in cohort.carriers}


def test_only_study_cohorts_are_probed_and_seeds_matter(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    assert [cohort.name for cohort in made.analysis.results.cohorts] == ["study", "null-control"]  # type: ignore
    cohort = only(made.fingerprint(50))  # type: ignore[attr-defined]
    assert (cohort.cohort, cohort.levels, cohort.exams) == ("study", ("GE", "Siemens"), 100)
    assert np.isfinite([place.auroc for place in cohort.places if place.auroc is not None]).all()
    assert where_it_lives.SIGNIFICANT == 0.05

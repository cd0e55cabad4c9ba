"""Levels and patients of exams, and the levels dealt again by chance."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nameplate.streams import stream
from nameplate_evaluation.separability.labels import Labels

PAIRS = st.lists(
    st.tuples(st.sampled_from(["GE", "Siemens", "Philips"]), st.sampled_from("abcdefgh")), max_size=40
)


def labels_of(pairs) -> Labels:
    return Labels.of(("GE", "Siemens", "Philips"), pairs)


def test_exams_and_patients_of_each_level_are_counted():
    labels = labels_of([("GE", "a"), ("GE", "a"), ("Siemens", "a"), ("Siemens", "b")])
    assert labels.counts == (2, 2, 0)
    assert labels.patients == (1, 2, 0)
    assert labels.majority == 0.5
    assert labels.where(np.array([True, False, True, True])).counts == (1, 2, 0)


def test_without_exams_there_is_no_majority():
    labels = labels_of([])
    assert labels.majority is None
    assert labels.dealt(3, stream(1, "deal")).shape == (3, 0)


@given(PAIRS)
def test_a_deal_keeps_the_levels_sizes_and_patients_of_one_level_together(pairs):
    labels = labels_of(pairs)
    for deal in labels.dealt(5, stream(1, "deal")):
        assert np.bincount(deal, minlength=3).tolist() == list(labels.counts)
        before, after = (
            sum(len(set(level[labels.patient == one])) == 1 for one in set(labels.patient.tolist()))
            for level in (labels.level, deal)
        )
        assert before == after


@given(PAIRS)
def test_one_exam_of_each_patient_and_level_is_kept(pairs):
    labels = labels_of(pairs)
    chosen = labels.one_each(stream(1, "one"))
    kept = [pair for pair, yes in zip(pairs, chosen, strict=True) if yes]
    assert len(kept) == len(set(kept))
    assert set(kept) == set(pairs)
    assert labels.where(chosen).patients == labels.patients


def test_how_many_patients_can_exchange():
    alone = [("GE", f"g{n}") for n in range(9)] + [("Siemens", f"s{n}") for n in range(9)]
    assert labels_of(alone).exchangeable == 1.0
    thrice = [("GE", f"g{n // 3}") for n in range(9)] + [("Siemens", f"s{n}") for n in range(9)]
    assert labels_of(thrice).exchangeable == 0.0
    both = [*alone, *(("GE", f"t{n // 2}") for n in range(4))]
    assert 0 < labels_of(both).exchangeable < 1
    assert labels_of([]).exchangeable == labels_of([("GE", "a")] * 3).exchangeable == 1.0


def test_deals_give_every_level_to_every_exam_and_are_the_streams():
    labels = labels_of([("GE", "a"), ("GE", "b"), ("Siemens", "c"), ("GE", "t"), ("Siemens", "t")])
    deals = labels.dealt(200, stream(1, "deal"))
    assert all(set(column) == {0, 1} for column in deals.T)
    assert np.array_equal(deals, labels.dealt(200, stream(1, "deal")))


def test_same_exams_in_a_part_keep_their_patients():
    labels = labels_of([("GE", "a"), ("GE", "b"), ("GE", "b")])
    part = labels.where(np.array([False, True, True]))
    assert part.patient.tolist() == [0, 0]

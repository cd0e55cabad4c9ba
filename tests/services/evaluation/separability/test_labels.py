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
def test_a_deal_keeps_patients_of_one_level_together_and_the_levels_of_the_others(pairs):
    labels = labels_of(pairs)
    for deal in labels.dealt(5, stream(1, "deal")):
        before, after = [], []
        for patient in range(int(labels.patient.max(initial=-1)) + 1):
            places = labels.patient == patient
            own = labels.level[places]
            if len(set(own)) > 1:
                assert sorted(deal[places]) == sorted(own)
            else:
                assert len(set(deal[places])) == 1
                before.append(own[0])
                after.append(deal[places][0])
        assert sorted(before) == sorted(after)


def test_deals_give_every_level_to_every_exam_and_are_the_streams():
    labels = labels_of([("GE", "a"), ("GE", "b"), ("Siemens", "c"), ("GE", "t"), ("Siemens", "t")])
    deals = labels.dealt(200, stream(1, "deal"))
    assert all(set(column) == {0, 1} for column in deals.T)
    assert np.array_equal(deals, labels.dealt(200, stream(1, "deal")))


def test_same_exams_in_a_part_keep_their_patients():
    labels = labels_of([("GE", "a"), ("GE", "b"), ("GE", "b")])
    part = labels.where(np.array([False, True, True]))
    assert part.patient.tolist() == [0, 0]

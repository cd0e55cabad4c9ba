"""Labels as chance would give them, with patients kept together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nameplate.streams import stream
from nameplate_evaluation.permuted import permuted

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=40)


def drawn(pairs, draws=5):
    codes = np.array([code for code, _ in pairs], dtype=np.int8)
    _, patient = np.unique(np.array([p for _, p in pairs], dtype=np.int64), return_inverse=True)
    return codes, patient, permuted(codes, patient, draws, stream(1, "permuted"))


@given(PAIRS)
def test_every_draw_has_as_many_exams_of_each_label(pairs):
    codes, _, draws = drawn(pairs)
    assert draws.shape == (5, codes.size)
    assert draws.dtype == codes.dtype
    assert all(sorted(draw) == sorted(codes) for draw in draws)


@given(PAIRS)
def test_patients_exchange_whole_lists_with_those_of_equally_many_exams(pairs):
    codes, patient, draws = drawn(pairs)

    def lists(labels):
        return sorted(tuple(sorted(labels[patient == one])) for one in np.unique(patient))

    assert all(lists(draw) == lists(codes) for draw in draws)


def test_single_exams_get_every_label_equally_often():
    _, _, draws = drawn([(n % 4 == 0, n) for n in range(8)], 4000)
    assert np.allclose(draws.mean(axis=0), 0.25, atol=0.03)


def test_a_patient_of_a_size_of_its_own_keeps_its_labels():
    codes, _, draws = drawn([(0, 0), (0, 0), (0, 1), (1, 2)], 50)
    assert (draws[:, :2] == codes[:2]).all()
    assert set(draws[:, 2]) == {0, 1}


def test_twins_keep_one_exam_of_each_label():
    _, _, draws = drawn([(n % 2, n // 2) for n in range(20)], 50)
    assert (draws.reshape(50, 10, 2).sum(axis=2) == 1).all()
    assert draws.std(axis=0).all()

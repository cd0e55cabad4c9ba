"""The head: tissue values, a closed skull, its volume, and that patients differ."""

import numpy as np
import pytest
from scipy import ndimage

from nameplate.streams import stream
from nameplate_phantom.head import Head, build_head
from nameplate_phantom.patient import Anatomy, draw_anatomy, draw_patient


def draw(number: int) -> tuple[Anatomy, int]:
    patient = draw_patient(stream(1, "p", number), number, mean_age=55, sd_age=18, male_share=0.5)
    return draw_anatomy(stream(1, "a", number), patient), patient.age


@pytest.fixture(scope="module")
def heads() -> list[tuple[Head, Anatomy]]:
    drawn = [draw(number)[0] for number in range(4)]
    return [
        (build_head(1, ("h", number), anatomy, (0, 0, 0), 1.5), anatomy)
        for number, anatomy in enumerate(drawn)
    ]


def test_the_intracranial_volume_is_the_one_that_was_drawn(heads: list[tuple[Head, Anatomy]]) -> None:
    for head, anatomy in heads:
        assert 1150 <= head.volume_ml <= 1700
        assert head.volume_ml == pytest.approx(anatomy.volume_ml, rel=0.02)


def test_tissues_have_their_values(heads: list[tuple[Head, Anatomy]]) -> None:
    for head, anatomy in heads:
        _, _, z = head.grid.axes()
        high = np.zeros(head.grid.shape, dtype=bool)
        high[z > float(head.centre[2]) + 10] = True
        deep = ndimage.binary_erosion(head.intracranial, iterations=3) & high
        inside = head.hu[deep]
        assert 24 <= np.median(inside) <= 40
        grey = np.abs(inside - anatomy.grey_hu) < 1.5
        white = np.abs(inside - anatomy.white_hu) < 2.5
        csf = np.abs(inside - anatomy.csf_hu) < 1.5
        assert grey.mean() > 0.15
        assert white.mean() > 0.2
        assert 0.003 < csf.mean() < 0.35
        bone = head.hu[high & (head.hu > 300)]
        assert 500 < np.median(bone) < 1500
        assert np.percentile(bone, 98) > 900
        assert (head.hu[0, 0, :] == -1000).all()


def test_the_vault_is_closed(heads: list[tuple[Head, Anatomy]]) -> None:
    for head, _ in heads:
        _, _, z = head.grid.axes()
        from_here = int(np.searchsorted(z, float(head.centre[2])))
        bone = head.hu[from_here:] > 200
        # Seen from the brain, only the cut at the bottom is open: filling slice by slice finds it all.
        for k in range(0, bone.shape[0], 6):
            inside = head.intracranial[from_here + k]
            if inside.sum() > 400:
                assert ndimage.binary_fill_holes(bone[k])[inside].mean() > 0.999
        assert not head.intracranial[-3:].any()


def test_above_the_vertex_there_is_air(heads: list[tuple[Head, Anatomy]]) -> None:
    for head, _ in heads:
        assert head.hu[-1].max() < -900
        assert head.top(0.0)[2] < head.grid.axes()[2][-1]


def test_two_patients_differ_and_one_patient_repeats() -> None:
    anatomy, _ = draw(0)
    first, again, other = (build_head(1, ("h", n), anatomy, (0, 0, 0), 4.0) for n in (0, 0, 1))
    assert np.array_equal(first.hu, again.hu)
    assert (first.intracranial != other.intracranial).sum() > 100


def test_the_old_have_more_fluid_than_the_young() -> None:
    anatomy, _ = draw(2)

    def fluid(**changes: float) -> float:
        changed = Anatomy(**(vars(anatomy) | changes))
        head = build_head(1, ("h", 2), changed, (0, 0, 0), 2.0)
        return float((head.hu[head.intracranial] < 18).mean())

    assert fluid(atrophy=0.9, ventricles=1.25) > fluid(atrophy=0.1, ventricles=0.8) + 0.05


def test_makers_patients_differ_in_age_before_matching() -> None:
    ages = [draw(number)[1] for number in range(300)]
    assert min(ages) >= 18
    assert max(ages) <= 90
    assert np.std(ages) > 10

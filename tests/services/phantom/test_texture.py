"""Noise texture tells nothing of the manufacturer at dial 0, and more the further the dial is turned."""

from itertools import pairwise

import numpy as np
from scipy import fft

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.streams import stream
from nameplate_phantom.effects import textured
from nameplate_phantom.machine import draw_machine
from nameplate_phantom.roster import head_number, manufacturer_of
from nameplate_phantom.stack import Stack

# A patch of the middle of the brain, 86 mm wide.
PATCH = Stack((0.0, 0.0), np.arange(4.0) * 5, np.full(4, 5.0), 0.0, 96, 0.9)
BANDS = np.linspace(0.03, 0.54, 9)
"""Edges in cycles/mm."""


def profile(settings: PhantomSettings, number: int) -> np.ndarray:
    """Radial noise power of one study in eight bands, as shares of its sum."""
    head = head_number(settings, number)
    machine = draw_machine(
        settings, seed=8, cohort="t", head=head, manufacturer=manufacturer_of(settings, number)
    )
    pictures = textured(stream(8, "texture", head), 4, machine.noise, PATCH)
    power = (np.abs(fft.fft2(pictures)) ** 2).mean(axis=0)
    frequency = fft.fftfreq(PATCH.matrix, PATCH.pixel_mm)
    radius = np.hypot(frequency[:, None], frequency[None])
    bands = np.array([power[(radius >= a) & (radius < b)].mean() for a, b in pairwise(BANDS)])
    return np.asarray(bands / bands.sum())


def apart(dial: float, *, twins: bool, exams: int) -> float:
    """Summed difference between the two manufacturers' mean profiles."""
    settings = PhantomSettings(exams=exams, twins=twins, signature=0.0, effects={"noise": dial})
    found = [profile(settings, number) for number in range(exams)]
    return float(np.abs(np.mean(found[0::2], axis=0) - np.mean(found[1::2], axis=0)).sum())


def test_twins_have_one_texture_at_nought_and_part_further_with_every_turn() -> None:
    distances = [apart(dial, twins=True, exams=16) for dial in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert distances[0] == 0.0
    assert all(after > before + 0.02 for before, after in pairwise(distances))


def test_of_different_heads_the_difference_at_nought_is_chance() -> None:
    nought, one, four = (apart(dial, twins=False, exams=60) for dial in (0.0, 1.0, 4.0))
    assert nought < 0.5 * one
    assert one < 0.7 * four

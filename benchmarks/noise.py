"""How right the noise of the fingerprint is: simulated heads with known noise, in fields of 220 to 250 mm.

    python benchmarks/noise.py [--heads 8] [--matrix 64 96 128 256 512]

For each matrix: the error of the SD, of the peak and of the correlation of slices, and core seconds an exam.
"""

import argparse
import time

import numpy as np
from scipy import fft

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.fingerprint.noise_power import BIN, HIGHEST, LOWEST, noise_spectrum
from nameplate.image.fingerprint.slices import Missing, Slices
from nameplate.streams import stream
from nameplate_phantom.effects import add_noise, biased, sharpen, strength, textured
from nameplate_phantom.effects import noise_spectrum as true_spectrum
from nameplate_phantom.scanner import Noise
from nameplate_phantom.skull import FORAMEN_Z
from nameplate_phantom.stack import Stack, sample, stack_slices
from nameplate_phantom.study import head_of, plan_study

FIELDS_MM = (220.0, 250.0)


def scan(matrix: int, field_mm: float, number: int) -> tuple[Slices, Noise, Stack, float]:
    """A head in upright slices of 5 mm, its noise, and the SD of the noise in its brain."""
    phantom = PhantomSettings(exams=number + 1, matrix=matrix)
    plan = plan_study(phantom, seed=11, cohort="noise", number=number)
    machine, head = plan.visit.machine, head_of(plan, phantom)
    stack = stack_slices(
        centre=(plan.isocentre[0], plan.isocentre[1]),
        low=head.place((0.0, 29.0, FORAMEN_Z - 11.0)),
        high=head.top(0.0) + np.array([0.0, 0.0, 5.0]),
        base=head.place((0.0, 20.0, -22.0)),
        gaps_mm=(5.0, 5.0),
        tilt_degrees=0.0,
        matrix=matrix,
        field_mm=field_mm,
    )
    volume = biased(head, machine.bias, plan.anatomy.fillings)
    hu = sharpen(sample(volume, head.grid, stack), machine.sharpness, stack)
    brain = sample(head.intracranial.astype(np.float32), head.grid, stack) > 0.5
    sd = strength(hu, machine.noise, stack)
    # Bone's factor, in brain.
    factor = 1 + 0.6e-3 * float(np.clip(hu[brain], 0, 80).mean())
    true_sd = float(np.sqrt((sd**2 * brain.sum(axis=(1, 2))).sum() / brain.sum())) * factor
    add_noise(hu, textured(stream(11, "noise", number), len(hu), machine.noise, stack), sd)
    slices = Slices(np.rint(hu)[:, ::-1].copy(), brain[:, ::-1].copy(), (stack.pixel_mm, stack.pixel_mm), 5.0)
    return slices, machine.noise, stack, true_sd


def true_peak(noise: Noise, stack: Stack) -> float:
    """Where the radial mean of the true spectrum, folded back, is greatest: cycles/mm."""
    pixel = stack.pixel_mm
    radius = np.hypot(fft.fftfreq(stack.matrix, pixel)[:, None], fft.rfftfreq(stack.matrix, pixel))
    power = true_spectrum(noise, stack)
    places = np.arange(LOWEST, min(0.5 / pixel, HIGHEST) - BIN / 2, 0.0025)
    return float(places[np.argmax([power[np.abs(radius - f) < BIN / 2].mean() for f in places])])


def words(errors: list[float], digits: int) -> str:
    """Mean, root mean square and largest of the errors."""
    if not errors:
        return "no number"
    values = np.array(errors)
    mean, rms, most = values.mean(), np.sqrt((values**2).mean()), np.abs(values).max()
    return f"{mean:+.{digits}f} {rms:.{digits}f} {most:.{digits}f} ({len(values)})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--matrix", type=int, nargs="+", default=[64, 96, 128, 256, 512])
    arguments = parser.parse_args()
    print("errors: mean, root mean square, largest (exams)")
    for matrix in arguments.matrix:
        sds, peaks, neighbours, seconds = [], [], [], []
        for number in range(arguments.heads):
            low, high = FIELDS_MM
            field_mm = low + (high - low) * number / max(1, arguments.heads - 1)
            slices, noise, stack, sd = scan(matrix, field_mm, number)
            start = time.process_time()
            found = noise_spectrum(slices)
            seconds.append(time.process_time() - start)
            if isinstance(found, Missing):
                print(f"{matrix}: {found.reason}")
                continue
            sds.append(100 * (found.sd / sd - 1))
            peak = found.peak()
            if peak is not None:
                peaks.append(peak - true_peak(noise, stack))
            if found.neighbours is not None:
                neighbours.append(found.neighbours - noise.neighbours)
        print(
            f"{matrix:4d}  SD, %: {words(sds, 1)}   peak, /mm: {words(peaks, 3)}   "
            f"neighbours: {words(neighbours, 3)}   {1000 * np.median(seconds):.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""Amount and texture of the noise in the brain of a patient's exam.

What can be measured depends on the pixels. Frequencies above the Nyquist frequency fold back, so a coarse
grid has the same noise SD and another spectrum. With pixels up to 1 mm (256 pixels over 250 mm) all numbers
are there, with up to 1.25 mm all but the highest bands; with 1.7 to 2 mm (128 pixels) there is no peak, and
bands go up to 0.25 cycles/mm; with 3.4 to 4 mm (64) there are only the SD and the correlation of neighbouring
slices; with more than 4 mm nothing. What is not measurable is ``Missing``.

On simulated heads with known noise, in fields of 220 to 250 mm (``benchmarks/noise.py``), the SD is off by 1
to 4 % (root mean square; 6 % at most, with 96 pixels), on coarse grids rather too high; with 256 and 512
pixels the peak is off by 0.015 to 0.019 cycles/mm (0.034 at most). The correlation of neighbouring slices
comes out 0.00 to 0.03 too high: slices share anatomy. Kernel, contrast and offset of the HU enter by nothing
but what they do to noise itself.
"""

import math

from nameplate.image.fingerprint.catalogue import BAND_WIDTH, BANDS, Measure
from nameplate.image.fingerprint.noise_power import NoiseSpectrum, noise_spectrum
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices

THICK_MM = 5.0
"""Of the slices whose noise is told."""


def _band(low: float) -> str:
    return f"noise_band_{round(100 * low):03d}"


MEASURES = (
    *(
        Measure(
            _band(low),
            "noise texture",
            "",
            f"noise at {low:.2f} to {low + BAND_WIDTH:.2f} /mm",
            "Share of the noise's variance in this band of spatial frequencies: the radial noise power "
            "spectrum of quiet 25 mm patches of brain (quadratic surface subtracted, Hann window), times the "
            "area of the ring, over the variance of all noise.",
        )
        for low in BANDS
    ),
    Measure(
        "noise_peak",
        "noise texture",
        "/mm",
        "peak of the noise spectrum",
        "Frequency at which the radial noise power spectrum is greatest: maximum of a cubic through the "
        "logarithm of the bins above half of the greatest.",
    ),
    Measure(
        "noise_mean_frequency",
        "noise texture",
        "/mm",
        "mean frequency of noise",
        "Mean of the spatial frequency weighted with the noise's variance, from 0.10 /mm to the upper end of "
        "the highest whole band, at most 0.45 /mm.",
    ),
    Measure(
        "noise_neighbours",
        "noise texture",
        "",
        "correlation of noise with the next slice",
        "Cross power over power of quiet patches at one place in neighbouring slices, from 0.15 /mm on (from "
        "0.10 /mm with pixels above 1.25 mm).",
    ),
    Measure(
        "noise_sd",
        "noise amount",
        "HU",
        "noise of a 5 mm slice",
        "Standard deviation: square root of the integral of the noise power spectrum over all frequencies; "
        "at low ones, where anatomy is, the spectrum is continued in a straight line. Times the root of the "
        "slice thickness over 5 mm, which makes slices of all thicknesses alike.",
    ),
)


def noise(slices: Slices) -> Numbers:
    """All numbers of ``MEASURES``."""
    spectrum = noise_spectrum(slices)
    if isinstance(spectrum, Missing):
        return dict.fromkeys((measure.name for measure in MEASURES), spectrum)
    # Thin slices are noisier by their thickness alone, which is the protocol's affair and not the scanner's.
    numbers: Numbers = {"noise_sd": spectrum.sd * math.sqrt(slices.thick_mm / THICK_MM)}
    shares = spectrum.shares()
    beyond = Missing("beyond the Nyquist frequency")
    complete = [low for low in BANDS if low + BAND_WIDTH <= spectrum.nyquist + 1e-9]
    for place, low in enumerate(BANDS):
        share = float(shares[2 * place : 2 * place + 2].sum())
        numbers[_band(low)] = share if low in complete else beyond
    peak = spectrum.peak()
    no_peak = Missing("pixels too large, or no fall on both sides of the peak")
    numbers["noise_peak"] = no_peak if peak is None else peak
    # The same range whatever the field of view, so that the size of pixels does not tell.
    numbers["noise_mean_frequency"] = (
        spectrum.mean_frequency(complete[-1] + BAND_WIDTH) if len(complete) >= 3 else beyond
    )
    numbers["noise_neighbours"] = _neighbours(spectrum, slices)
    return numbers


def _neighbours(spectrum: NoiseSpectrum, slices: Slices) -> Number:
    if not slices.adjacent:
        return Missing("slices are not neighbours")
    if spectrum.neighbours is None:
        return Missing("too few quiet patches at one place in neighbouring slices")
    return spectrum.neighbours

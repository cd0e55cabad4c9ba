"""The noise power spectrum in the brain of a patient's exam.

A patient is no water phantom: folds of grey matter and sulci have power at every frequency that noise has.
Three things keep them out. Only the quietest patches count, told by their power at low frequencies, where the
brain has much and noise has little. What anatomy they still have goes with that same power, so the line of a
frequency's power against it, patch by patch, is read where noise alone would be. And nothing below ``LOWEST``
is measured at all: there the spectrum is continued in a straight line.

The more frequencies tell of anatomy, the better it is told, but those are no longer measured. So where pixels
are small this is done twice: for the bins from ``TEXTURE`` on all that is below them tells.

The method is ours; the quantities are those of AAPM's Task Group 233 and of Solomon, Christianson and Samei,
Med Phys 39:6048 (2012).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import BAND_WIDTH, BANDS
from nameplate.image.fingerprint.patches import SIDE_MM, Floats, Spectra, Transform, in_parts, patches_of
from nameplate.image.fingerprint.slices import Missing, Slices

LOWEST = BANDS[0]
"""Lowest frequency that is measured, cycles/mm."""
HIGHEST = 0.55
"""Up to here the spectrum has bins; what is above counts as one."""
TEXTURE = 0.15
"""From here on the spectrum is measured against all that is below, where the pixels are small enough."""
BIN = BAND_WIDTH / 2
"""Width of a bin."""
_SMALL = 0.4
"""Nyquist frequency from which pixels are small enough for that."""
_KEPT = 0.3
"""Share of the patches, the quietest, that are looked at."""
_QUIET = 4.0
"""And all patches with less low-frequency power than this many times that of noise."""
_FEWEST = 30
_LEAST = 0.65
"""Share of the power at the lowest bin that noise keeps below it, where it is looked for."""
_RESTLESS = 6.0
"""If the quietest patches have more than this many times the low-frequency power of noise, none is quiet."""
_FALL = 0.93
"""Share of the peak's power to which the spectrum must fall before it ends, for the peak to be one."""
_AROUND = 0.5
"""Share of the peak's power above which the spectrum takes part in finding it."""
_NO_NOISE = Missing("the brain is without any noise")
_NOT_QUIET = Missing("no patch of the brain is quiet enough")


@dataclass(frozen=True, slots=True, eq=False)
class NoiseSpectrum:
    """Radial noise power spectrum of one exam."""

    frequencies: Floats
    """Middles of the bins in cycles/mm, ascending, up to the Nyquist frequency or ``HIGHEST``."""
    power: Floats
    """Power density in each bin, HU^2 mm^2."""
    sd: float
    """HU; of all frequencies, those below and above the bins included."""
    neighbours: float | None
    """Correlation of the noise of slices next to each other; None where too few quiet patches are."""
    patches: int
    """Patches that it was taken from; they overlap."""
    nyquist: float
    """Of the coarser axis, cycles/mm."""
    surest_from: float
    """From here on the power was measured best, cycles/mm; the peak is looked for there."""

    def shares(self) -> Floats:
        """Share of the noise's variance in the ring of each bin."""
        return np.asarray(self.power * _rings(self.frequencies) / self.sd**2, dtype=np.float64)

    def peak(self) -> float | None:
        """Frequency of the most power, cycles/mm; None where pixels are large or it falls only on one side.

        With large pixels the spectrum folds back, and what the head's anatomy leaves of itself is at low
        frequencies: between the two there would be a peak of neither.
        """
        if self.nyquist < _SMALL:
            return None
        first = int(np.searchsorted(self.frequencies, self.surest_from))
        top = float(self.power[first:].max())
        around = first + np.flatnonzero(self.power[first:] > _AROUND * top)
        if len(around) < 5 or self.power[-1] > _FALL * top:
            return None
        part = slice(around[0], around[-1] + 1)
        f, power = self.frequencies[part], np.maximum(self.power[part], 0.1 * top)
        middle = float(f.mean())
        curve = np.polyfit(f - middle, np.log(power), 3)
        fine = np.linspace(f[0], f[-1], 401)
        at = int(np.argmax(np.polyval(curve, fine - middle)))
        return float(fine[at]) if 0 < at < len(fine) - 1 else None

    def mean_frequency(self, upto: float) -> float:
        """Mean frequency of the noise's variance from ``LOWEST`` to ``upto``, cycles/mm."""
        inside = self.frequencies < upto
        shares = self.shares()[inside]
        return float(shares @ self.frequencies[inside] / shares.sum())


def noise_spectrum(slices: Slices) -> NoiseSpectrum | Missing:
    """The noise power spectrum in the quiet parts of the brain, or why it cannot be told."""
    nyquist = 0.5 / max(slices.pixel_mm)
    top = min(nyquist, HIGHEST)
    if top < LOWEST + BIN - 1e-6:
        return Missing("pixels too large for a noise spectrum")
    patches = patches_of(slices)
    if len(patches.places) < _FEWEST:
        return Missing("too few patches of brain without bone, air and clipped values")
    rows, columns = patches.values.shape[1:]
    transform = Transform((rows, columns), patches.pixel_mm, top + 1e-6, 2 * SIDE_MM)
    spectra = Spectra(patches, transform)
    small = nyquist >= _SMALL
    spectrum = _Estimate(spectra, LOWEST, top).spectrum(nyquist, adjacent=slices.adjacent and not small)
    if not small or isinstance(spectrum, Missing):
        return spectrum
    texture = _Estimate(spectra, TEXTURE, top).spectrum(nyquist, adjacent=slices.adjacent)
    if isinstance(texture, Missing):
        return texture
    below = spectrum.frequencies[spectrum.frequencies < TEXTURE]
    # What the folds of a restless brain add there is cut off at the line through the surer bins.
    offset, slope, least = _line(texture.frequencies - TEXTURE, texture.power)
    most = np.maximum(offset + slope * (below - TEXTURE), least)
    return replace(
        texture,
        frequencies=np.append(below, texture.frequencies),
        power=np.append(np.minimum(spectrum.power[: len(below)], most), texture.power),
    )


def _rings(frequencies: NDArray[np.floating]) -> Floats:
    """Area of the ring of each bin in the plane of frequencies, per mm^2."""
    return np.asarray(2 * np.pi * frequencies * BIN, dtype=np.float64)


def _line(beyond: Floats, power: Floats) -> tuple[float, float, float]:
    """How a spectrum goes on below its bins: power at their lower end, slope there, and its least.

    ``beyond`` is how far each bin is from that end. Noise never has more power towards frequency zero.
    """
    slope, offset = np.polyfit(beyond[:4], power[:4], 1)
    if len(power) < 5:
        # So few bins hardly have a slope.
        offset, slope = offset + slope * float(beyond.mean()) / 4, slope * 3 / 4
    if slope < 0:
        slope, offset = 0.0, float(power[:4].mean())
    return float(offset), float(slope), _LEAST * float(offset)


class _Estimate:
    """The way from patches to their noise, from ``lowest`` cycles/mm on."""

    def __init__(self, spectra: Spectra, lowest: float, top: float) -> None:
        self._spectra, self._fine, self._lowest = spectra, spectra.transform, lowest
        transform = spectra.transform
        self._bins = int(np.floor((top - lowest) / BIN + 1e-6))
        self._middles: Floats = np.asarray(lowest + (np.arange(self._bins) + 0.5) * BIN, np.float64)
        self._bin = np.floor((transform.radius - lowest) / BIN + 1e-6).astype(np.intp)
        self._bin[transform.radius < lowest] = -1
        beyond = 1 / transform.pixel_mm2 - np.pi * (lowest + self._bins * BIN) ** 2
        self._areas = np.append(_rings(self._middles), beyond)
        rows, columns = spectra.patches.values.shape[1:]
        self._low = Transform((rows, columns), spectra.patches.pixel_mm, lowest)
        self._is_low = (self._low.radius > 0) & (self._low.radius <= lowest)

    def spectrum(self, nyquist: float, *, adjacent: bool) -> NoiseSpectrum | Missing:
        """The spectrum of noise alone."""
        low = self._low_values()
        anatomy = np.asarray((low.real**2 + low.imag**2).mean(axis=1), dtype=np.float64)
        order = np.argsort(anatomy, kind="stable")
        kept = order[: max(_FEWEST, int(_KEPT * len(order)))]
        powers = self._powers(kept)
        expected = self._low_power(powers[: max(_FEWEST, len(order) // 10)].mean(axis=0))
        calm = order[len(kept) : np.searchsorted(anatomy[order], _QUIET * expected)]
        if len(calm):
            powers = np.concatenate([powers, self._powers(calm)])
            kept = np.append(kept, calm)
        mean = powers.mean(axis=0)
        if not (expected > 0 and (mean > 0).all()):
            return _NO_NOISE
        for _ in range(4):
            mean = _at(expected, anatomy[kept], powers, expected)
            expected = self._low_power(mean)
        quietest = float(anatomy[order[len(order) // 50]])
        if not (expected > 0 and (mean > 0).all()) or quietest > _RESTLESS * expected:
            return _NOT_QUIET
        offset, slope, least = self._line(mean)
        # A straight line's mean over the disc is its value at two thirds of the radius.
        below = max(offset - slope * self._lowest / 3, least) * np.pi * self._lowest**2
        return NoiseSpectrum(
            frequencies=self._middles,
            power=mean[:-1],
            sd=float(np.sqrt(mean @ self._areas + below)),
            neighbours=self._neighbours(kept, low, expected) if adjacent else None,
            patches=len(kept),
            nyquist=nyquist,
            surest_from=self._lowest,
        )

    def _low_values(self) -> NDArray[np.complex64]:
        """Values of all patches at the frequencies where anatomy is looked at."""
        found = self._low.of_some(self._spectra.patches.values, self._is_low)
        scale = np.sqrt(self._low.pixel_mm2 / self._low.gain[self._is_low])
        return np.asarray(found * scale.astype(np.float32), dtype=np.complex64)

    def _powers(self, which: NDArray[np.intp]) -> Floats:
        """Power density in each bin and beyond them: (patches, bins + 1)."""
        fine = self._fine
        self._spectra.make(which)
        inside = (self._bin >= 0) & (self._bin < self._bins)
        sums = np.zeros((len(fine.radius), self._bins + 1))
        sums[inside, self._bin[inside]] = (fine.weight / fine.gain)[inside]
        counts = np.bincount(self._bin[inside], fine.weight[inside], self._bins)
        sums[:, :-1] /= np.maximum(counts, 1)
        sums[:, -1] = np.where(self._bin < self._bins, fine.weight, 0.0)
        found = np.asarray(self._spectra.power[which] @ sums.astype(np.float32), dtype=np.float64)
        # Parseval: all that a patch has and that is not up to the last ring is beyond it.
        found[:, -1] = fine.frequencies * self._spectra.energy[which] - found[:, -1]
        found[:, -1] /= fine.frequencies * fine.gain_of_all - float(sums[:, -1] @ fine.gain)
        return found * fine.pixel_mm2

    def _line(self, mean: Floats) -> tuple[float, float, float]:
        """The spectrum below the bins: power at ``lowest``, its slope there, and its least."""
        if self._bins < 3:
            return float(mean @ self._areas / self._areas.sum()), 0.0, 0.0
        return _line(self._middles - self._lowest, mean[:-1])

    def _low_power(self, mean: Floats) -> float:
        """Power of noise where anatomy is looked at."""
        offset, slope, least = self._line(mean)
        frequency = float(self._low.radius[self._is_low].mean())
        return max(offset + slope * (frequency - self._lowest), least)

    def _neighbours(
        self,
        kept: NDArray[np.intp],
        low: NDArray[np.complex64],
        expected: float,
    ) -> float | None:
        """Correlation of the noise of patches at one place in neighbouring slices."""
        places = self._spectra.patches.places[kept].tolist()
        at = {tuple(place): row for place, row in zip(places, kept.tolist(), strict=True)}
        pairs = [(row, at[k + 1, j, i]) for (k, j, i), row in at.items() if (k + 1, j, i) in at]
        if len(pairs) < _FEWEST:
            return None
        one, other = np.array(pairs).T
        fine = self._fine
        scale = (fine.weight * (fine.radius >= self._lowest) / fine.gain).astype(np.float32)
        own = np.zeros(len(self._spectra.power))
        own[kept] = self._spectra.power[kept] @ scale
        # Real and imaginary parts side by side: the real part of a value times the conjugate of another.
        parts, twice = self._spectra.values.view(np.float32), np.repeat(scale, 2)
        shared = np.concatenate(
            [
                np.einsum("pf,pf->p", parts[some] * twice, parts[others])
                for some, others in zip(in_parts(one), in_parts(other), strict=True)
            ]
        )
        both = np.stack([shared, (own[one] + own[other]) / 2], axis=1)
        anatomy = (low[one] * low[other].conj()).real.mean(axis=1)
        found = 0.0
        for _ in range(3):
            covariance, variance = _at(found * expected, anatomy, both, expected)
            found = float(np.clip(covariance / variance, -1, 1)) if variance > 0 else 0.0
        return found


def _at(wanted: float, anatomy: NDArray[np.floating], powers: Floats, scale: float) -> Floats:
    """What the line of each column of powers (patches, columns) against the anatomy has at ``wanted``.

    The more anatomy a patch has, the less it counts: its power spreads more, and the line is none far away.
    """
    weight = (np.abs(anatomy) + scale) ** -3.0
    weight /= weight.sum()
    middle, means = float(weight @ anatomy), weight @ powers
    away = weight * (anatomy - middle)
    spread = float(away @ (anatomy - middle))
    if not spread > 0:
        return np.asarray(means, dtype=np.float64)
    return np.asarray(means + (away @ (powers - means) / spread) * (wanted - middle), dtype=np.float64)

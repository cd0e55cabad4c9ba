"""The cases of a challenge: which there are, and by what each is known."""

import hashlib
from collections.abc import Sequence

from nameplate.steps.challenge import Lesion


def lesions_of(radii_mm: Sequence[float], hu: Sequence[float], places: int) -> list[Lesion]:
    """The grid, in the order of its cases."""
    return [
        Lesion(place=place, radius_mm=radius, hu=added)
        for added in sorted(set(hu))
        for radius in sorted(set(radii_mm))
        for place in range(1, places + 1)
    ]


def case_key(content: str, lesion: Lesion | None, command: str) -> str:
    """Digest of a case; ``content`` is that of the exam's image and mask."""
    planted = "" if lesion is None else lesion.model_dump_json()
    digest = hashlib.sha256()
    for part in (content, planted, command):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()[:32]

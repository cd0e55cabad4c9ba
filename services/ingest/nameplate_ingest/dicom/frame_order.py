"""Which frames of an enhanced file belong to one pass over the head, by place and dimensions (pure)."""

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from nameplate_ingest.dicom import frame_tags, tags
from nameplate_ingest.dicom.values import number, numbers, text

_Values = Mapping[int, bytes]
_POSITIONAL = frozenset((frame_tags.IN_STACK, tags.POSITION, 0x00201041))
"""Dimensions that only count along the stack; the last is SliceLocation."""
_TELLING = (
    *(tags.POSITION, tags.ORIENTATION, tags.ACQUISITION, tags.TEMPORAL_POSITION, tags.KVP, tags.KERNEL),
    *(tags.IMAGE_TYPE, tags.THICKNESS, tags.RESCALE_TYPE, tags.ACQUISITION_TIME),
)
"""Two frames that agree in these cannot be told apart by them."""


def successive(described: Sequence[_Values], positions: Sequence[str]) -> bool:
    """Whether each temporal position goes on where another ended, as the rotations of one pass do.

    ``positions`` are the frames' temporal positions. They may share a slice at their junction.
    """
    normal: tuple[float, ...] | None = None
    spans: dict[str, list[float]] = defaultdict(list)
    thick = 0.0
    for values, name in zip(described, positions, strict=True):
        place = numbers(values.get(tags.POSITION), 3)
        axes = numbers(values.get(tags.ORIENTATION), 6)
        if place is None or axes is None:
            return False
        a, b, c, d, e, f = axes
        normal = normal or (b * f - c * e, c * d - a * f, a * e - b * d)
        spans[name].append(sum(x * n for x, n in zip(place, normal, strict=True)))
        thick = max(thick, number(values.get(tags.THICKNESS)) or 0.0)
    ordered = sorted((min(along), max(along)) for along in spans.values())
    return all(
        sum(later) > sum(earlier) + 0.02 and later[0] >= earlier[1] - 0.5 * thick
        for earlier, later in pairwise(ordered)
    )


def volume_numbers(described: Sequence[_Values], pointers: Sequence[bytes], little: bool) -> list[int | None]:
    """For each frame the number of its volume; None if the frames' other elements tell volumes apart.

    A file may hold several volumes that only their stack or another dimension tells apart. ``pointers`` are
    the tags of the dimensions, as they are in the file.
    """
    labels = [_label(values, pointers, little) for values in described]
    there: dict[tuple[bytes | None, ...], set[tuple[str, ...]]] = defaultdict(set)
    for values, label in zip(described, labels, strict=True):
        there[tuple(map(values.get, _TELLING))].add(label)
    distinct = sorted(set(labels))
    if all(len(found) == 1 for found in there.values()) or 2 * len(distinct) > len(labels):
        return [None] * len(labels)
    rank = {label: place for place, label in enumerate(distinct)}
    return [rank[label] for label in labels]


def _label(values: _Values, pointers: Sequence[bytes], little: bool) -> tuple[str, ...]:
    """The frame's stack, and its values in the dimensions that do not count along the stack."""
    raw, order = values.get(frame_tags.DIMENSION_VALUES, b""), "<" if little else ">"
    indices = struct.unpack(f"{order}{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
    telling: list[str] = []
    for pointer, index in zip(pointers, indices, strict=False):
        if len(pointer) >= 4:
            group, element = struct.unpack(f"{order}HH", pointer[:4])
            if group << 16 | element not in _POSITIONAL:
                telling.append(f"{index:09d}")
    return text(values.get(frame_tags.STACK)), *telling

"""Enhanced multi-frame CT: every frame described like a file of its own (DICOM PS3.3, C.7.6.16 and C.8.15.3).

A frame is described in three places: in its own functional groups, in those that all frames share, and at
the top level. The first that says something counts.
"""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from nameplate_ingest.dicom import frame_tags as groups
from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.content import Content
from nameplate_ingest.dicom.frame_order import successive, volume_numbers
from nameplate_ingest.dicom.header import CUT_SHORT, DEFLATED, Elements, NeedMore, content_of, inflated_file
from nameplate_ingest.dicom.nested import Item, Malformed, top_item
from nameplate_ingest.dicom.values import number, text
from nameplate_ingest.refusal import Refused

MOST_FRAMES = 20_000
_MOST_DIMENSIONS = 16

_Values = dict[int, bytes]
_CONTRAST = (tags.AGENT, *tags.CONTRAST.values())
_REFORMATS = {
    b"MAX_IP": b"MIP",
    b"MIN_IP": b"MINIP",
    b"VOLUME_RENDER": b"VRT",
    b"SURFACE_RENDER": b"VRT",
    b"CURVED_MPR": b"CPR",
}
"""Classical image types for the techniques that an enhanced file has its own words for."""
_HU = ("[HNSF'U]", "HU")
_UNITLESS = ("", "1")


def frames_of(file: Path | Content, elements: Elements) -> list[Elements]:
    """One Elements per frame, in the order of the pixels, with the frame's values under the classical tags.

    A file of one image without functional groups comes back as it is. What a frame lacks is for slice_of to
    refuse. Raises Refused for frames without functional groups or with damaged ones, and for too many.
    """
    count = max(1, int(min(number(elements.values.get(tags.FRAMES)) or 1, 1e9)))
    if count > MOST_FRAMES:
        raise Refused("multi-frame", f"more than {MOST_FRAMES} frames")
    if elements.pixel_offset == CUT_SHORT:
        raise Refused("truncated-header", "the file ends before its pixels")
    if elements.pixel_offset < 0:
        raise Refused("no-pixels", "the file holds no pixel data")
    try:
        top = top_item(
            _header(content_of(file), elements),
            elements.syntax,
            elements.little,
            groups.WANTED,
            groups.SEQUENCES,
        )
    except (Malformed, NeedMore, struct.error) as error:
        raise Refused("multi-frame", "functional groups cannot be read") from error
    shared, own = _items(top, groups.SHARED), _items(top, groups.PER_FRAME)
    if not shared and not own:
        if count == 1:
            return [elements]
        raise Refused("multi-frame", f"{count} frames without functional groups")
    if not own and count == 1:
        own = [{}]  # all that describes a single frame may stand among what frames share
    if len(own) != count:
        raise Refused("multi-frame", f"{count} frames, {len(own)} described")
    common = _merged(_described(top), _filled(elements.values))
    common = {**elements.values, **common, **_described(shared[0] if shared else {})}
    return _classical(elements, top, [{**common, **_described(item)} for item in own])


def _header(content: Content, elements: Elements) -> bytes:
    """The bytes before the pixels."""
    if elements.syntax == DEFLATED:
        return inflated_file(content)[: elements.pixel_offset]
    try:
        return content.start(elements.pixel_offset)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error


def _items(item: Item, tag: int) -> list[Item]:
    found = item.get(tag, [])
    return found if isinstance(found, list) else []


def _filled(item: Mapping[int, object]) -> _Values:
    """The elements that say something; a whole number in binary may be zero."""
    return {
        tag: raw
        for tag, raw in item.items()
        if isinstance(raw, bytes) and (raw.strip(b" \0") or (raw and tag in groups.BINARY))
    }


def _merged(*sources: _Values) -> _Values:
    """All values; of those in several sources the last one's."""
    return {tag: raw for source in sources for tag, raw in source.items()}


def _described(item: Item) -> _Values:
    """What the functional groups of one item say, from whichever group it is in.

    Values are raw: those of enhanced elements, such as numbers in binary, are under their own tags.
    """
    values: _Values = {}
    for sequence in groups.UNASSIGNED:
        for inner in _items(item, sequence)[:1]:
            values |= _only(_filled(inner), groups.OF_A_FRAME)
    # Some writers leave out the sequence around a group.
    values |= _only(_filled(item), groups.OF_A_FRAME)
    for sequence, held in groups.GROUPS.items():
        for inner in _items(item, sequence)[:1]:
            values |= _only(_filled(inner), held)
    voltages = {text(_bytes(inner, tags.KVP)) for inner in _items(item, groups.XRAY_DETAILS)} - {""}
    if len(voltages) > 1 or any(_items(item, sequence) for sequence in groups.MULTIENERGY):
        values[tags.MULTIENERGY] = b"YES"
    anatomies = [item, *_items(item, groups.FRAME_ANATOMY)]
    if meaning := _meanings(region for one in anatomies for region in _items(one, groups.ANATOMIC_REGION)):
        values[tags.BODY_PART] = meaning
    if usages := _items(item, groups.CONTRAST_USAGE):
        values[groups.CONTRAST_USAGE] = b"YES" if any(map(_given, usages)) else b"NO"
    for mapping in _items(item, groups.REAL_WORLD)[:1]:
        for unit in _items(mapping, groups.UNITS)[:1]:
            values[groups.UNITS] = _bytes(unit, groups.CODE_VALUE)
    return values


def _only(values: _Values, wanted: Iterable[int]) -> _Values:
    return {tag: values[tag] for tag in wanted if tag in values}


def _bytes(item: Item, tag: int) -> bytes:
    raw = item.get(tag, b"")
    return raw if isinstance(raw, bytes) else b""


def _meanings(codes: Iterable[Item]) -> bytes:
    """What the codes mean, in words of the file."""
    return b" ".join(filter(None, (_bytes(code, groups.CODE_MEANING).strip(b" \0") for code in codes)))


def _given(usage: Item) -> bool:
    """Whether a contrast agent was in the patient; a usage that says nothing counts as one."""
    said = [text(_bytes(usage, tag)).upper() for tag in (groups.ADMINISTERED, groups.DETECTED)]
    if "YES" in said:
        return True
    return "NO" not in said and text(_bytes(usage, groups.PHASE)).upper() != "PRE_CONTRAST"


def _classical(elements: Elements, top: Item, described: list[_Values]) -> list[Elements]:
    """The frames with their enhanced elements as the classical ones that say the same."""
    little = elements.little
    offset = (_integers(_bytes(top, groups.FRAME_OFFSET), little, 4) or (0,))[0]
    agents = _items(top, groups.AGENTS)
    agent = (_meanings(agents) or b"contrast agent") if agents else b""
    injected = any(values.get(groups.CONTRAST_USAGE) == b"YES" for values in described)
    for place, values in enumerate(described, start=1):
        values[tags.INSTANCE] = b"%d" % (offset + place)
        _set_numbers(values, little)
        _set_contrast(values, agent, injected)
        values[tags.IMAGE_TYPE] = _image_type(values)
        _set_units(values)
    _set_temporal_positions(described)
    dimensions = _items(top, groups.DIMENSIONS)[:_MOST_DIMENSIONS]
    pointers = [_bytes(item, groups.DIMENSION_POINTER) for item in dimensions]
    for values, volume in zip(described, volume_numbers(described, pointers, little), strict=True):
        if volume is not None:
            values[tags.ACQUISITION] = b"%s.%04d" % (values.get(tags.ACQUISITION, b"0").strip(b" \0"), volume)
    kept = tags.WANTED | elements.values.keys()
    return [
        Elements(
            {tag: values[tag] for tag in values.keys() & kept},
            elements.syntax,
            little,
            elements.pixel_offset,
            elements.pixel_length,
        )
        for values in described
    ]


def _integers(raw: bytes, little: bool, size: int) -> tuple[int, ...]:
    """Unsigned integers of ``size`` bytes."""
    kind = {2: "H", 4: "I"}[size]
    return struct.unpack(f"{'<' if little else '>'}{len(raw) // size}{kind}", raw[: len(raw) // size * size])


def _set_numbers(values: _Values, little: bool) -> None:
    """Numbers that an enhanced file holds in binary, as decimal text."""
    order = "<" if little else ">"
    for enhanced, classical in groups.DOUBLES.items():
        raw = values.get(enhanced, b"")
        if len(raw) >= 8:
            values[classical] = b"%.10g" % max(
                struct.unpack(f"{order}{len(raw) // 8}d", raw[: len(raw) // 8 * 8])
            )
    diameter = values.get(groups.FIELD)
    if tags.DIAMETER not in values and diameter is not None and len(diameter) >= 16:
        values[tags.DIAMETER] = b"%.10g" % max(struct.unpack(f"{order}2d", diameter[:16]))
    for tag, size, classical in (
        (groups.ACQUISITION, 2, tags.ACQUISITION),
        (groups.TEMPORAL_INDEX, 4, tags.TEMPORAL_POSITION),
    ):
        if found := _integers(values.get(tag, b""), little, size):
            values[classical] = b"%d" % found[0]
    for tag in (groups.ACQUIRED, groups.REFERENCE_TIME):
        time = values.get(tag, b"").strip(b" \0")[8:]
        if time:
            values[tags.ACQUISITION_TIME] = time
            break
    if tags.KERNEL not in values and groups.KERNEL_GROUP in values:
        values[tags.KERNEL] = values[groups.KERNEL_GROUP]


def _set_contrast(values: _Values, agent: bytes, injected: bool) -> None:
    """``agent`` names what the file describes; ``injected`` says that some frame has it."""
    usage = values.get(groups.CONTRAST_USAGE)
    if usage == b"NO":
        told = bool(agent) or any(tag in values for tag in _CONTRAST)
        for tag in _CONTRAST:
            values.pop(tag, None)
        values[tags.AGENT] = b"NONE"
        if told and not injected:
            # An agent is described, but no frame has it: the two elements together are doubtful.
            values[tags.CONTRAST["sequence"]] = b"1"
        return
    if usage is None and not agent:
        return
    values[tags.CONTRAST["sequence"]] = b"1"
    if tags.AGENT not in _filled(values):
        values[tags.AGENT] = agent or b"contrast agent"


def _image_type(values: _Values) -> bytes:
    """FrameType, with a word for what only other elements say."""
    kinds = [values.get(groups.FRAME_TYPE) or values.get(tags.IMAGE_TYPE, b"")]
    technique = values.get(groups.TECHNIQUE, b"").strip(b" \0").upper()
    if technique not in (b"", b"NONE", b"MIXED"):
        kinds.append(_REFORMATS.get(technique, technique))
    if text(values.get(groups.ACQUISITION_TYPE)).upper() == "CONSTANT_ANGLE":
        kinds.append(b"LOCALIZER")
    if text(values.get(groups.FLUOROSCOPY)).upper() == "YES":
        kinds.append(b"FLUOROSCOPY")
    return b"\\".join(kind.strip(b" \0") for kind in kinds)


def _set_units(values: _Values) -> None:
    """The units of a real-world mapping, where the rescale type leaves them open."""
    unit = text(values.get(groups.UNITS)).upper()
    if text(values.get(tags.RESCALE_TYPE)).upper() in ("", "US") and unit not in _UNITLESS:
        values[tags.RESCALE_TYPE] = b"HU" if unit in _HU else b"OTHER"


def _set_temporal_positions(described: list[_Values]) -> None:
    """Temporal positions of the file, unless they only count the rotations of one pass."""
    positions = [text(values.get(tags.TEMPORAL_POSITION)) for values in described]
    times = len(set(positions))
    if times < 2:
        return
    if successive(described, positions):
        for values in described:
            values.pop(tags.TEMPORAL_POSITION, None)
        return
    for values in described:
        values[tags.TEMPORAL_POSITIONS] = b"%d" % times

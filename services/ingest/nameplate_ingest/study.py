"""One study from its files to a volume, an exam record and a ledger row for every series."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings, SeriesRules
from nameplate.image.fingerprint.slices import Numbers
from nameplate.image.volume import Volume
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate_ingest.as_read import measured_as_read
from nameplate_ingest.choice.examine import Examined, examined_volume, refusal_told
from nameplate_ingest.choice.facts import Facts, facts_of
from nameplate_ingest.choice.select import Verdict, apply_rules, rank
from nameplate_ingest.choice.witnesses import Opinion, opinions
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.exam_record import exam_record, shape_of
from nameplate_ingest.fields.person import contradiction
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.scanner import Maker, agreed, scanner_of
from nameplate_ingest.refusal import Refused
from nameplate_ingest.refused_picture import refused_picture
from nameplate_ingest.volume.copies import Copies
from nameplate_ingest.volume.group import Group, group_slices, joined

_PIECES = ("coverage", "slices")
"""Rules that a base or a vertex alone fails, and both together may pass."""
_MOST_PIECES = 60
"""A study with more pieces than this is left as it is: no head was scanned in so many."""


@dataclass(slots=True)
class Judged:
    """A group with what the witnesses said of it and what became of it."""

    group: Group
    facts: Facts | None
    """None where each slice was refused by itself."""
    told: tuple[Opinion, ...]
    verdict: Verdict
    """``rule`` is '' as long as the series may be used, and 'chosen' for the one that was."""
    maker: str = ""


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result of one study; ``exam`` and ``volume`` are None when no series could be used."""

    exam: Exam | None
    volume: Volume | None
    rows: tuple[LedgerRow, ...]
    judged: tuple[Judged, ...] = ()
    pictures: tuple[tuple[str, bytes], ...] = ()
    """PNG of a slice of each refused series that may be drawn, by the id of its ledger row."""
    as_read: Numbers | None = None
    """What was measured in the chosen series' own pixels, if that was asked for."""


def ingest_study(
    slices: Iterable[Slice],
    settings: IngestSettings,
    pseudonyms: Pseudonyms,
    listed: frozenset[str],
    *,
    draw: bool = False,
    measure: bool = False,
) -> Ingested:
    """Choose a series of the study and convert it; if it is broken, the next best is tried.

    ``listed`` holds the manufacturers that the user's list gives for this study, normalised. ``draw`` asks
    for pictures of what was refused, ``measure`` for the numbers of what was chosen.
    """
    members = list(slices)
    name = pseudonyms.of("e", members[0].study)
    judged, copies = judged_study(members, settings.rules, listed)
    exam, chosen, as_read = None, None, None
    usable = [one for one in judged if not one.verdict.rule]
    failed = 0
    for place, reason in rank([one.facts for one in usable if one.facts], settings.rules):
        one = usable[place]
        if chosen is not None:
            one.verdict = Verdict("outranked", reason)
            continue
        try:
            examined = examined_volume(one.group, settings)
            as_read = measured_as_read(one.group, examined) if measure else None
        except Refused as refused:
            one.verdict = Verdict(refused.rule, refused.seen, refused.doubtful)
            one.told += (refusal_told(refused),)
            failed += 1
            continue
        chosen = examined
        seen = f"after {failed} better failed" if failed else "best of the usable ones"
        one.verdict = Verdict("chosen", seen)
        one.told += chosen.told
        exam = _record(one, pseudonyms, chosen, settings)
    rows = _rows(judged, copies, name, pseudonyms)
    pictures = tuple(_pictures(judged, pseudonyms)) if draw else ()
    return Ingested(exam, chosen.volume if chosen else None, rows, tuple(judged), pictures, as_read)


def judged_study(
    members: Sequence[Slice], rules: SeriesRules, listed: frozenset[str]
) -> tuple[list[Judged], list[Copies]]:
    """What becomes of each series of a study before any pixel is read, and images that are there twice."""
    groups, copies = group_slices(members)
    judged = judged_groups(groups, rules)
    several = _several_people(members)
    for one in judged:
        one.maker, unknown = agreed(map(_header_maker, one.group.slices), listed)
        if not one.verdict.rule and several:
            one.verdict = Verdict("patient", several, doubtful=True)
        elif not one.verdict.rule and unknown:
            one.verdict = Verdict("manufacturer", unknown)
    return judged, copies


def judged_groups(groups: Sequence[Group], rules: SeriesRules) -> list[Judged]:
    """What the header's witnesses and the rules say of each group; halves of one head are joined."""
    judged = [_judge(group, groups, rules) for group in groups]
    pieces = [one for one in judged if one.verdict.rule in _PIECES]
    if len(pieces) > _MOST_PIECES:
        return judged
    gone: set[int] = set()
    for first, second in combinations(pieces, 2):
        if id(first) in gone or id(second) in gone:
            continue
        both = joined(first.group, second.group)
        if both is None:
            continue
        together = _judge(both, groups, rules)
        if together.verdict.rule not in _PIECES:
            judged[judged.index(first)] = together
            judged.remove(second)
            gone |= {id(first), id(second)}
    return judged


def _judge(group: Group, groups: Sequence[Group], rules: SeriesRules) -> Judged:
    if group.refusal:
        return Judged(group, None, (), Verdict(*group.refusal))
    facts = facts_of(group, groups)
    told = opinions(facts, rules)
    return Judged(group, facts, told, apply_rules(facts, told, rules))


def _several_people(slices: Sequence[Slice]) -> str:
    """What tells that the images of a study are not of one person; '' if nothing does.

    Reports and the like are no witnesses: they may carry a number that was changed since.
    """
    people = list(dict.fromkeys(slice_.person for slice_ in slices if not slice_.refusal))
    for index, one in enumerate(people):
        for other in people[:index]:
            if why := contradiction(one, other):
                return f"{why} in one study"
    return ""


def _header_maker(slice_: Slice) -> Maker:
    device = slice_.device
    return scanner_of(
        device.manufacturer,
        model=device.model,
        creators=device.creators,
        uids=(slice_.instance, slice_.series),
        software=device.software,
    )


def _record(one: Judged, pseudonyms: Pseudonyms, chosen: Examined, settings: IngestSettings) -> Exam:
    slices = one.group.slices
    assert one.facts is not None
    return exam_record(
        slices[0].study,
        [slice_.person for slice_ in slices],
        [slice_.device for slice_ in slices],
        shape_of(one.group, one.facts),
        one.maker,
        pseudonyms,
        allow_free_text=settings.allow_free_text,
        slices=int(chosen.volume.array.shape[2]),
        flags=chosen.flags,
    )


def _rows(
    judged: Sequence[Judged], copies: Sequence[Copies], exam: str, pseudonyms: Pseudonyms
) -> tuple[LedgerRow, ...]:
    """A row for each group and for the copies; a file of many frames counts in the first group it is in."""
    counted: set[Path] = set()
    rows = []
    for one in judged:
        paths = {slice_.path for slice_ in one.group.slices} - counted
        counted |= paths
        rows.append(_row(one, exam, len(paths), pseudonyms))
    of_rows: dict[tuple[str, str, str], set[Path]] = {}
    for copy in (*copies, *(copy for one in judged for copy in one.group.left_out)):
        # Every frame of a file may be a copy: they are one row.
        of_rows.setdefault((copy.instance, copy.rule, copy.seen), set()).update(copy.paths)
    # A broken file whose other frames are whole counts as broken: that rule is the first by name.
    for (instance, rule, seen), paths in sorted(of_rows.items()):
        rows.append(
            LedgerRow(
                item="file",
                id=pseudonyms.of("f", instance),
                exam=exam,
                verdict="refused",
                rule=rule,
                seen=seen,
                files=len(paths - counted),
            )
        )
        counted |= paths
    return tuple(rows)


def _pictures(judged: Sequence[Judged], pseudonyms: Pseudonyms) -> Iterator[tuple[str, bytes]]:
    """A series that another one outranked was not refused, and is not drawn."""
    for one in judged:
        if one.verdict.rule not in ("chosen", "outranked"):
            picture = refused_picture(one.group)
            if picture is not None:
                yield _series_id(one.group, pseudonyms), picture


def _series_id(group: Group, pseudonyms: Pseudonyms) -> str:
    uid, part = group.slices[0].series, group.part
    return pseudonyms.of("s", uid, str(part)) if part else pseudonyms.of("s", uid)


def _row(one: Judged, exam: str, files: int, pseudonyms: Pseudonyms) -> LedgerRow:
    return LedgerRow(
        item="series",
        id=_series_id(one.group, pseudonyms),
        exam=exam,
        verdict="chosen" if one.verdict.rule == "chosen" else "refused",
        rule=one.verdict.rule,
        seen=one.verdict.seen,
        files=files,
        manufacturer=one.maker,
        doubtful=one.verdict.doubtful,
    )

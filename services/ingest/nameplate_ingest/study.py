"""One study from its files to a volume, an exam record and a ledger row for every series."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import Volume
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate_ingest.convert import convert
from nameplate_ingest.group import Copies, Group, commonest, facts_of, group_slices, thickness_of
from nameplate_ingest.manufacturer import normalise
from nameplate_ingest.pixels import hounsfield
from nameplate_ingest.pseudonym import Pseudonyms
from nameplate_ingest.refusal import Refused
from nameplate_ingest.select import apply_rules, rank
from nameplate_ingest.series import distinct_gaps
from nameplate_ingest.slice import Slice


@dataclass(frozen=True, slots=True)
class Ingested:
    """The result of one study; ``exam`` and ``volume`` are None when no series could be used."""

    exam: Exam | None
    volume: Volume | None
    rows: tuple[LedgerRow, ...]


def ingest_study(
    slices: Iterable[Slice], settings: IngestSettings, pseudonyms: Pseudonyms, listed: frozenset[str]
) -> Ingested:
    """Choose a series of the study and convert it; if it is broken, the next best is tried.

    ``listed`` holds the manufacturers that the user's list gives for this study, normalised.
    """
    members = list(slices)
    name = pseudonyms.of("e", members[0].study)
    groups, copies = group_slices(members)
    outcome: dict[int, tuple[str, str]] = {}
    usable: list[int] = []
    patients = {slice_.tags.patient for slice_ in members if slice_.tags.patient}
    for number, group in enumerate(groups):
        if group.refusal:
            outcome[number] = group.refusal
        elif (verdict := apply_rules(facts_of(group), settings.rules)).rule:
            outcome[number] = verdict.rule, verdict.seen
        elif len(patients) > 1:
            outcome[number] = "patient", f"{len(patients)} patients in one study"
        else:
            usable.append(number)
    exam, volume, failed = None, None, 0
    ranked = rank([facts_of(groups[number]) for number in usable], settings.rules)
    for place, reason in ranked:
        number = usable[place]
        if exam is not None:
            outcome[number] = "outranked", reason
            continue
        try:
            manufacturer = _manufacturer(groups[number], listed)
            volume = volume_of(groups[number], settings)
        except Refused as refused:
            outcome[number] = refused.rule, refused.seen
            failed += 1
            continue
        exam = _exam(groups[number], name, manufacturer, volume, pseudonyms)
        outcome[number] = "chosen", f"after {failed} better failed" if failed else "best of the usable ones"
    rows = [_row(group, name, *outcome[number], pseudonyms) for number, group in enumerate(groups)]
    rows += [_copy_row(copy, name, pseudonyms) for copy in copies]
    return Ingested(exam, volume, tuple(rows))


def volume_of(group: Group, settings: IngestSettings) -> Volume:
    """The group as one volume; raises Refused for pixels that cannot be decoded."""
    grid = group.slices[0].grid
    assert group.stack is not None
    assert grid is not None
    return convert(
        group.stack,
        thickness_of(group),
        grid.rows,
        grid.columns,
        grid.spacing,
        lambda number: hounsfield(group.slices[number]),
        settings,
    )


def _manufacturer(group: Group, listed: frozenset[str]) -> str:
    """The one manufacturer that header and list agree on; refused rather than guessed."""
    spelled = {slice_.tags.manufacturer for slice_ in group.slices if slice_.tags.manufacturer}
    header = {manufacturer for manufacturer in map(normalise, spelled) if manufacturer}
    names = header | listed
    if len(names) == 1:
        return next(iter(names))
    if names:
        raise Refused("manufacturer", f"header and list name {len(names)} manufacturers")
    seen = "header unknown" if spelled else "header blank"
    raise Refused("manufacturer", f"{seen}, not in the list")


def _exam(group: Group, name: str, manufacturer: str, volume: Volume, pseudonyms: Pseudonyms) -> Exam:
    first, tags = group.slices[0], [slice_.tags for slice_ in group.slices]
    assert group.stack is not None
    assert first.grid is not None
    institution = commonest([item.institution for item in tags])
    ages = [item.age for item in tags if item.age is not None]
    sex = commonest([item.sex or "" for item in tags])
    return Exam(
        exam=name,
        patient=pseudonyms.of("p", first.tags.patient or f"study {first.study}"),
        image=f"images/{name}.nii.gz",
        manufacturer=manufacturer,
        model=commonest([item.model for item in tags]) or "",
        software=commonest([item.software for item in tags]) or "",
        kernel=commonest([item.kernel for item in tags]) or "",
        institution=pseudonyms.of("i", institution) if institution else "",
        age=min(ages) if ages else None,
        sex="F" if sex == "F" else "M" if sex == "M" else "O" if sex == "O" else None,
        kvp=_median([item.kvp for item in tags]),
        exposure_mas=_median([item.exposure_mas for item in tags]),
        thickness_mm=facts_of(group).thickness_mm,
        gaps_mm=distinct_gaps(group.stack),
        pixel_mm=first.grid.spacing[1],
        tilt_degrees=round(group.stack.tilt_degrees, 2),
        source_slices=len(group.slices),
        slices=int(volume.array.shape[2]),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None


def _row(group: Group, exam: str, rule: str, seen: str, pseudonyms: Pseudonyms) -> LedgerRow:
    uid = group.slices[0].series
    return LedgerRow(
        item="series",
        id=pseudonyms.of("s", uid, str(group.part)) if group.part else pseudonyms.of("s", uid),
        exam=exam,
        verdict="chosen" if rule == "chosen" else "refused",
        rule=rule,
        seen=seen,
        files=len(group.slices),
    )


def _copy_row(copy: Copies, exam: str, pseudonyms: Pseudonyms) -> LedgerRow:
    return LedgerRow(
        item="file",
        id=pseudonyms.of("f", copy.instance),
        exam=exam,
        verdict="refused",
        rule=copy.rule,
        seen="the same image is there already",
        files=copy.files,
    )

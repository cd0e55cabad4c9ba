"""Which effect of a scanner moves which measure: each one switched off alone, and what is then still named.

    python benchmarks/effects_off.py [--heads 32] [--workers 2] [--rows FILE]

Every simulated head is scanned by a GE and by a Siemens machine, whose differences are those of the phantom's
catalogue (signature 1), written as DICOM and ingested. Each group of measures is then probed for the
manufacturer, as in the report, under ten conditions: every effect on, each one off alone, all off. An effect
that is off is the same for both. A number is the AUROC; a star says that it is outside what permuted labels
give, all groups of the condition allowed for. With --rows the measures are kept in FILE, or read from it if
it is there.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.phantom import EFFECTS, Effect, EffectSettings, PhantomSettings
from nameplate.image.fingerprint.catalogue import Group, Stage
from nameplate.image.fingerprint.measure import MEASURES, measured
from nameplate.image.fingerprint.slices import Slices
from nameplate.image.volume import read_nifti
from nameplate.records import Record, from_jsonl, to_jsonl
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam, as_record
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.measures import Measurements
from nameplate_evaluation.fingerprint.multiplicity import step_down
from nameplate_evaluation.fingerprint.probe import probe
from nameplate_ingest.ingest import ingest_folder
from nameplate_phantom.head import Head
from nameplate_phantom.study import head_of, plan_study, study_files
from nameplate_skullstrip.strip import skullstrip

SEED, MATRIX = 12, 320
MAKES = ("GE", "Siemens")
CONDITIONS: tuple[str, ...] = ("all on", *EFFECTS, "all off")
OWN: dict[Effect, tuple[Group, ...]] = {
    "sharpness": ("sharpness",),
    "noise": ("noise texture", "noise amount"),
    "bias": ("tissue", "cupping"),
    "field_of_view": ("field",),
    "padding": ("padding",),
    "table": ("surroundings",),
    "geometry": ("protocol",),
    "header": ("header",),
}
"""The groups that an effect must take with it into the null band."""
STAGES: tuple[Stage, ...] = ("as read", "nifti")
KEY = b"a key for this benchmark"


class Row(Record):
    """One exam under one condition."""

    condition: str
    head: int
    exam: Exam
    measured: tuple[MeasuredExam, ...]


def settings_of(condition: str, heads: int) -> PhantomSettings:
    """The simulation under one condition."""
    off = EffectSettings.model_validate({condition: 0.0}) if condition in EFFECTS else EffectSettings()
    return PhantomSettings(
        exams=len(MAKES) * heads,
        twins=True,
        manufacturers=MAKES,
        matrix=MATRIX,
        bone_share=0,
        signature=0.0 if condition == "all off" else 1.0,
        effects=off,
    )


def rows_of_head(head: int, heads: int) -> list[Row]:
    """Both exams of one head under every condition; the head is simulated once."""
    rows: list[Row] = []
    simulated: Head | None = None
    for condition in CONDITIONS:
        settings = settings_of(condition, heads)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in (len(MAKES) * head, len(MAKES) * head + 1):
                plan = plan_study(settings, seed=SEED, cohort="effects", number=number)
                simulated = simulated or head_of(plan, settings)
                for path, data in study_files(plan, simulated, settings):
                    target = folder / "dicom" / str(number) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
            ingest_folder(folder / "dicom", folder / "out", IngestSettings(matrix=MATRIX // 2), key=KEY)
            rows += _ingested(condition, head, folder / "out")
    return rows


def _ingested(condition: str, head: int, out: Path) -> Iterator[Row]:
    as_read = from_jsonl(MeasuredExam, (out / "as-read.jsonl").read_bytes())
    for exam, native in zip(from_jsonl(Exam, (out / "exams.jsonl").read_bytes()), as_read, strict=True):
        image = read_nifti(out / exam.image)
        numbers = measured(Slices.of_volume(image, skullstrip(image).mask))
        later = as_record(exam.exam, "nifti", numbers)
        yield Row(condition=condition, head=head, exam=exam, measured=(native, later))


def all_rows(heads: int, workers: int) -> list[Row]:
    """The rows of all heads, in order."""
    work = partial(rows_of_head, heads=heads)
    if workers == 1:
        return [row for head in range(heads) for row in work(head)]
    with ProcessPoolExecutor(workers) as pool:
        return [row for rows in pool.map(work, range(heads)) for row in rows]


def named(rows: list[Row], stage: Stage) -> dict[str, tuple[float, bool]]:
    """By group: the AUROC of naming the manufacturer, and whether it is outside of the null band."""
    measurements = Measurements(
        measures=MEASURES,
        rows={(one.exam, one.stage): one for row in rows for one in row.measured},
        exams={row.exam.exam: row.exam for row in rows},
        factor="manufacturer",
    )
    subjects = [Subject(row.exam.exam, str(row.head), row.exam.manufacturer) for row in rows]
    labels = labels_of(subjects, MAKES, SEED, ("effects off",))
    assert isinstance(labels, Labels), labels
    probes = {}
    for group in measurements.groups:
        columns = measurements.columns(labels, measurements.of(group), stage)
        if columns and (found := probe(labels, columns)) is not None:
            probes[str(group)] = found
    adjusted = step_down(
        np.array([one.auroc for one in probes.values()]), np.stack([one.null for one in probes.values()])
    )
    return {
        group: (found.auroc, bool(p <= 0.05))
        for (group, found), p in zip(probes.items(), adjusted.family, strict=True)
    }


def print_table(found: dict[str, dict[str, tuple[float, bool]]]) -> None:
    """Groups down, conditions across; then what is not as the catalogue of effects has it."""
    groups = list(dict.fromkeys(group for of in found.values() for group in of))
    width = max(map(len, groups))
    print(
        " " * width, *(f"{condition.replace('field_of_view', 'field'):>9}" for condition in found), sep="  "
    )
    for group in groups:
        cells = []
        for of in found.values():
            auroc, outside = of.get(group, (None, False))
            cells.append(f"{'-' if auroc is None else f'{auroc:.2f}':>8}{'*' if outside else ' '}")
        print(f"{group:<{width}}", *cells, sep="  ")
    print("\n".join(_wrong(found)) or "as it should be: each effect takes its own groups, and no other")


def _wrong(found: dict[str, dict[str, tuple[float, bool]]]) -> Iterator[str]:
    """Groups that are inside the null band and should not be, or the other way round."""
    marked = {group for group, (_, outside) in found["all on"].items() if outside}
    caused = {str(group) for groups in OWN.values() for group in groups} & set(found["all on"])
    if dull := sorted(caused - marked):
        yield f"not named though all is on: {', '.join(dull)}"
    for condition, of in found.items():
        own = {str(group) for group in OWN.get(condition, ())}  # type: ignore[call-overload]
        expected = set() if condition == "all off" else marked - own
        outside = {group for group, (_, is_outside) in of.items() if is_outside}
        if lost := sorted(expected - outside):
            yield f"{condition}: takes {', '.join(lost)} too"
        if left := sorted(outside - expected):
            yield f"{condition}: leaves {', '.join(left)}"


def missing_lines(rows: list[Row]) -> Iterator[str]:
    """How often a measure is missing with everything on, and why."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    on = [row for row in rows if row.condition == "all on"]
    for row in on:
        for one in row.measured:
            for name, reason in one.missing.items():
                counts[one.stage, name, reason] += 1
    for (stage, name, reason), count in sorted(counts.items()):
        yield f"  {stage}, {name}: {count} of {len(on)} ({reason})"


def main() -> None:
    """Simulate or read the rows, and print a table a stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=Path)
    arguments = parser.parse_args()
    if arguments.rows is not None and arguments.rows.exists():
        rows = from_jsonl(Row, arguments.rows.read_bytes())
    else:
        rows = all_rows(arguments.heads, arguments.workers)
        if arguments.rows is not None:
            arguments.rows.write_bytes(to_jsonl(rows))
    by_condition = {name: [row for row in rows if row.condition == name] for name in CONDITIONS}
    counts = sorted({len(of) for of in by_condition.values()})
    print(
        f"{len({row.head for row in rows})} heads, each by {' and '.join(MAKES)}; exams a condition: {counts}"
    )
    for stage in STAGES:
        print(f"\n{stage}: AUROC of naming the manufacturer; * outside the null band")
        print_table({name: named(of, stage) for name, of in by_condition.items()})
    print("\nmissing, with everything on:")
    print("\n".join(missing_lines(rows)) or "  nothing")


if __name__ == "__main__":
    main()

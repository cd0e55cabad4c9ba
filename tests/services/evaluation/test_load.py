"""The report's input from a committed store, complete in part, and the report that is made of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import nameplate
from nameplate.campaign import ORIGINAL, SKULL, Campaign, parse_campaign
from nameplate.errors import DamagedObject, StoreError, UserError
from nameplate.image.png import png_bytes
from nameplate.image.volume import Volume, nifti_bytes
from nameplate.job.committed import put_campaign
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, committed_jobs, job_digest, write_result
from nameplate.job.state import State
from nameplate.steps import cohort, ingest, prediction, report, selection, skullstrip, synthesis, training
from nameplate.steps.cell import Cell
from nameplate.steps.cohort import Member, Refusal
from nameplate.steps.ingest import Exam, IngestJob, LedgerRow
from nameplate.steps.report import ReportJob
from nameplate.steps.selection import Selection, SelectionJob
from nameplate.steps.skullstrip import MaskReport, SkullstripJob
from nameplate.steps.step import Job
from nameplate.steps.synthesis import Sample, Sphere, SynthesisJob
from nameplate.steps.training import Epoch, Prediction, Run, TrainingJob
from nameplate.store import Store, open_store
from nameplate.store.folder_tar import pack_folder
from nameplate.streams import stream
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.fresh_report import report_main
from nameplate_evaluation.gauges import gauges_of
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report
from nameplate_evaluation.report_step import report as report_step
from nameplate_evaluation.results import CampaignResults

EXAMS = 48
SPLITS = ("train", "val", "test")
SEEDS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    # By cell: the seeds that the selection of each round asks for; a cell that is not here has none yet.
    "manufacturer/study/original/mixed/g0": ((),),
    "spheres/study/easy/mixed/g0": ((1,), ()),
    "spheres/study/easy/Siemens/g0": ((),),
    "spheres/study/hard/mixed/g0": ((1,),),
}
KEPT = {"manufacturer/study/original/mixed/g0": (1,), "spheres/study/easy/mixed/g0": (1, 0)}
"""By cell; any other keeps no run."""


def _level(number: int) -> str:
    return ("GE", "Siemens")[number % 2]


def _exam(number: int) -> str:
    return f"e{number:03d}"


def _volume(value: int) -> bytes:
    return nifti_bytes(Volume(np.full((8, 8, 8), value, dtype=np.int16), np.diag([25.0, 25.0, 25.0, 1.0])))


def _write_ingest(job: IngestJob, outputs: Outputs) -> None:
    numbers = range(job.shard, EXAMS, 2)
    rows = [
        Exam(
            exam=_exam(number), patient=f"p{number:03d}", image="", manufacturer=_level(number), model="",
            software="", kernel="", institution="", age=40.0 + number, sex="F", kvp=120.0, exposure_mas=None,
            thickness_mm=5.0, gaps_mm=(5.0,), pixel_mm=0.5, tilt_degrees=0.0, source_slices=30, slices=30,
        )
        for number in numbers
    ]  # fmt: skip
    ledger = [
        LedgerRow(
            item="series", id=f"s{number}", exam=_exam(number), verdict="chosen", rule="chosen", seen="",
            files=30,
        )
        for number in numbers
    ]  # fmt: skip
    ingest.EXAMS.write(outputs, rows, cohort=job.cohort, shard=job.shard)
    ingest.LEDGER.write(outputs, ledger, cohort=job.cohort, shard=job.shard)
    if job.shard == 1:
        folder = outputs.scratch / "refused"
        folder.mkdir(exist_ok=True)
        (folder / "s17.png").write_bytes(_picture("s17"))
        pack_folder(folder, outputs.scratch / "refused.tar")
        key = ingest.REFUSED_PICTURES.key(cohort=job.cohort, shard=job.shard)
        outputs.write_file(key, outputs.scratch / "refused.tar")


def _write_masks(job: SkullstripJob, outputs: Outputs) -> None:
    rows = [
        MaskReport(exam=_exam(number), volume_ml=1400.0, flags=(), usable=True)
        for number in range(job.shard, EXAMS, 2)
    ]
    skullstrip.REPORTS.write(outputs, rows, cohort=job.cohort, shard=job.shard)
    for row in rows[:2]:
        outputs.write(skullstrip.PICTURE.key(cohort=job.cohort, exam=row.exam), _picture(row.exam))


def _picture(of: str) -> bytes:
    """A picture that differs from others."""
    return png_bytes(
        np.full((4, 9), len(of), np.uint8), [(ord(letter), 0, 0) for letter in "pictures of " + of]
    )


def _member(number: int) -> Member:
    return Member(
        exam=_exam(number), patient=f"p{number:03d}", level=_level(number), split=SPLITS[number // 2 % 3],
        age=40.0 + number, sex="F", positive=number // 6 % 2 == 0, rank=number / EXAMS,
    )  # fmt: skip


def _write_samples(job: SynthesisJob, outputs: Outputs) -> None:
    """Images of Original for three exams of the first shard, and of one sphere."""
    samples = []
    for number in range(job.shard, EXAMS, 2):
        member = _member(number)
        sphere = None
        if job.dataset == "easy" and member.positive:
            sphere = Sphere(
                difficulty="easy", centre_mm=(100.0, 100.0, 50.0), radius_mm=21.5, hu_mean=50.0, hu_sd=2.0
            )  # fmt: skip
        of = "easy" if sphere is not None else ORIGINAL
        image = synthesis.IMAGE.key(cohort=job.cohort, dataset=of, exam=member.exam)
        mask = synthesis.MASK.key(cohort=job.cohort, dataset=ORIGINAL, exam=member.exam)
        samples.append(
            Sample(
                exam=member.exam, patient=member.patient, level=member.level, split=member.split,
                label=int(sphere is not None), image=image, mask=mask, sphere=sphere, padded=0,
            )
        )  # fmt: skip
        if (job.dataset == ORIGINAL and number in (0, 4, 10)) or (sphere is not None and number == 4):
            outputs.write(image, _volume(number))
        if job.dataset == ORIGINAL and number == 4:
            outputs.write(mask, _volume(1))
    where = {"cohort": job.cohort, "dataset": job.dataset, "shard": job.shard}
    synthesis.SAMPLES.write(outputs, samples, **where)
    refused = [Refusal(exam=_exam(job.shard), step="synthesis", reason=job.dataset)]
    synthesis.REFUSALS.write(outputs, refused if job.dataset == "hard" else [], **where)


def _predictions(cell: Cell, seed: int, split: str) -> list[Prediction]:
    """Scores that tell the two classes apart, not always."""
    rng = stream(3, "scores", str(cell), seed, split)
    rows = []
    for member in (_member(number) for number in range(EXAMS)):
        if member.split != split:
            continue
        label = int(member.positive if cell.experiment == "spheres" else member.level == "GE")
        rows.append(
            Prediction(
                exam=member.exam, patient=member.patient, level=member.level, split=member.split, label=label,
                score=float(np.clip(0.3 + 0.4 * label + 0.2 * rng.normal(), 0, 1)), difficulty=None,
                radius_mm=None,
            )
        )  # fmt: skip
    return rows


def _write_run(job: TrainingJob, outputs: Outputs) -> None:
    epochs = [
        Epoch(epoch=n, rate=1e-3, train_loss=0.7 / n, val_loss=0.7, val_accuracy=0.8, val_auroc=0.8)
        for n in (1, 2)
    ]
    run = Run(
        cell=job.cell, seed=job.seed, round=job.round, outcome="converged", reasons=(), val_accuracy=0.8,
        val_auroc=0.8, sensitivity=0.8, specificity=0.8, loss_drop=0.5, late_rise=0.0, parameters=10,
        norm_batch=4, device="cpu", train_exams=16, history=tuple(epochs),
        versions={"torch": f"2.{job.round}", "monai": "1.4"},
    )  # fmt: skip
    training.RUN.write(outputs, run, run=job.run)
    training.VALIDATION.write(outputs, _predictions(job.cell, job.seed, "val"), run=job.run)


def _select(job: SelectionJob) -> Selection:
    following = SEEDS[str(job.cell)][job.round]
    kept = () if following else KEPT.get(str(job.cell), ())
    return Selection(
        cell=job.cell, round=job.round, trained=job.round + 1, converged=len(kept), kept=kept,
        next_seeds=following, finished="no" if following else ("target" if kept else "limit"),
    )  # fmt: skip


def _write(job: Job, outputs: Outputs) -> None:
    """What the step of a job would write, or as much of it as the report reads."""
    match job.settings:
        case IngestJob() as settings:
            _write_ingest(settings, outputs)
        case SkullstripJob() as settings:
            _write_masks(settings, outputs)
        case cohort.CohortJob() as settings:
            cohort.MEMBERS.write(outputs, map(_member, range(EXAMS)), cohort=settings.cohort)
            refused = [Refusal(exam=_exam(47), step="cohort", reason="alone")]
            cohort.REFUSALS.write(outputs, refused, cohort=settings.cohort)
        case SynthesisJob() as settings:
            _write_samples(settings, outputs)
        case TrainingJob() as settings:
            _write_run(settings, outputs)
        case SelectionJob() as settings:
            made = _select(settings)
            selection.SELECTION.write(outputs, made, cell=settings.cell, round=settings.round)
        case prediction.PredictionJob() as settings:
            for seed in KEPT[str(settings.cell)]:
                rows = _predictions(settings.cell, seed, "test")
                prediction.TEST.write(outputs, rows, run=settings.cell.run(seed))
        case _:
            outputs.write(f"made/{job.id}", b"x")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A store, and what is committed in it."""

    store: Store
    campaign: Campaign
    results: Mapping[str, Result]


def _fill(folder: Path, tiny_text: str) -> Held:
    campaign = parse_campaign(tiny_text, "tiny")
    store = open_store(str(folder / "store"))
    put_campaign(store, campaign, tiny_text)
    state = State(campaign, store, {})

    def is_wanted(job: Job) -> bool:
        if isinstance(job.settings, SelectionJob):
            return job.round < len(SEEDS.get(str(job.cell), ()))
        return job.cell is None or job.cell.dataset != SKULL

    while ready := [
        job
        for job in state.plan.jobs
        if job.id not in state.results and is_wanted(job) and state.has_needs(job)
    ]:
        for job in ready:
            outputs = Outputs(job.id, store, folder, lambda: False)
            _write(job, outputs)
            digest = job_digest(job, state.results)
            result = Result(job=job.id, digest=digest, code="0", outputs=outputs.written)
            write_result(store, result)
            state.add_result(job, result)
    return Held(store=store, campaign=campaign, results=state.results)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> Held:
    return _fill(tmp_path_factory.mktemp("held"), tiny_text)


@pytest.fixture(scope="module")
def loaded(held: Held) -> CampaignResults:
    return load_results(held.campaign, Committed(held.store, held.results))


@pytest.fixture(scope="module")
def built(loaded: CampaignResults) -> dict[str, bytes]:
    return build_report(loaded)


def test_cells_without_a_selection_are_left_out(loaded: CampaignResults) -> None:
    assert [str(cell.cell) for cell in loaded.cells] == list(SEEDS)
    assert all(run.cell == cell.cell for cell in loaded.cells for run in cell.runs)


def test_every_round_and_every_run_is_there_one_that_waits_for_its_selection_too(
    loaded: CampaignResults,
) -> None:
    rows = [
        (
            [made.round for made in cell.rounds],
            [(run.seed, run.round) for run in cell.runs],
            cell.selection.finished,
        )
        for cell in loaded.cells
    ]
    assert rows == [
        ([0], [(0, 0), (1, 0)], "target"),
        ([0, 1], [(0, 0), (1, 1)], "target"),
        ([0], [(0, 0)], "limit"),
        ([0], [(0, 0), (1, 1)], "no"),
    ]


def test_predictions_are_of_every_run_on_validation_and_of_kept_runs_on_test(loaded: CampaignResults) -> None:
    for cell in loaded.cells:
        assert list(cell.predictions) == sorted(run.seed for run in cell.runs)
        kept = KEPT.get(str(cell.cell), ())
        for seed, rows in cell.predictions.items():
            expected = _predictions(cell.cell, seed, "val")
            if seed in kept:
                expected += _predictions(cell.cell, seed, "test")
            assert list(rows) == expected


def test_only_kept_runs_have_figures(loaded: CampaignResults) -> None:
    for grid in analyse(loaded).grids:
        for figures in grid.cells:
            kept = KEPT.get(str(figures.cell.cell), ())
            assert (figures.test.seeds if figures.test else ()) == kept
            assert (figures.val.seeds if figures.val else ()) == kept


def test_a_cohort_is_every_shard_of_it(loaded: CampaignResults) -> None:
    (study,) = loaded.cohorts
    everyone = sorted(range(EXAMS), key=lambda number: (number % 2, number))  # shard by shard
    assert [row.exam for row in study.exams] == [_exam(number) for number in everyone]
    assert [row.exam for row in study.masks] == [row.exam for row in study.exams]
    assert [row.exam for row in study.ledger] == [row.exam for row in study.exams]
    assert [row.exam for row in study.members] == [_exam(number) for number in range(EXAMS)]
    assert [(row.exam, row.step, row.reason) for row in study.refusals] == [
        ("e047", "cohort", "alone"),
        ("e000", "synthesis", "hard"),
        ("e001", "synthesis", "hard"),
    ]


def test_pictures_are_those_of_every_shard(loaded: CampaignResults, built: dict[str, bytes]) -> None:
    (study,) = loaded.cohorts
    assert dict(study.pictures) == {exam: _picture(exam) for exam in ("e000", "e001", "e002", "e003")}
    assert dict(study.refused_pictures) == {"s17": _picture("s17")}
    assert built["quality/study/images/e002.png"] == _picture("e002")
    assert "quality/study/refused.html" in built


def test_examples_are_of_test_exams_first_and_of_those_whose_image_is_there(loaded: CampaignResults) -> None:
    found = [(example.title, example.exam, example.mask is not None) for example in loaded.examples]
    assert found == [
        ("original", "e004", False),
        ("original", "e010", False),
        ("easy", "e004", True),
        ("skull", "e004", True),
        ("skull", "e010", False),
    ]
    (easy,) = (example for example in loaded.examples if example.title == "easy")
    assert easy.ellipse is not None
    assert "21.5 mm" in easy.caption


def test_versions_of_libraries_are_those_that_trained_the_runs(loaded: CampaignResults) -> None:
    assert loaded.provenance["torch"] == "2.0, 2.1"
    assert loaded.provenance["monai"] == "1.4"
    assert loaded.provenance["nameplate"] == nameplate.__version__
    assert loaded.provenance["campaign seed"] == "7"


def test_provenance_follows_the_files_of_each_area(held: Held, loaded: CampaignResults) -> None:
    run = "training/manufacturer/study/original/mixed/g0/s000"
    (output, *others) = held.results[run].outputs
    changed = held.results[run].model_copy(
        update={"outputs": (output.model_copy(update={"key": "models/x", "sha256": "0"}), *others)}
    )
    again = load_results(held.campaign, Committed(held.store, {**held.results, run: changed}))
    differs = {name for name, value in again.provenance.items() if value != loaded.provenance[name]}
    assert differs == {"digest of models"}


def test_the_settings_are_shown_as_they_count_and_not_as_they_were_written(
    held: Held, loaded: CampaignResults
) -> None:
    assert parse_campaign(loaded.campaign_text, "shown") == held.campaign
    assert "slice_mm" in loaded.campaign_text  # a default of which the file says nothing


def test_a_report_from_the_store_is_the_one_that_the_step_commits(
    held: Held, built: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    committed = committed_jobs(held.store)
    assert report_main(["--store", held.store.url, "--out", str(out)]) == 0
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert found == built
    assert str(out / "index.html") in capsys.readouterr().out
    assert committed_jobs(held.store) == committed  # nothing is committed


def test_the_step_writes_the_same_bytes(held: Held, built: dict[str, bytes], tmp_path: Path) -> None:
    read = {job: held.results[job] for job in held.results if job.split("/")[0] in report.STEP.needs}
    store = open_store(str(tmp_path / "other"))
    outputs = Outputs("report", store, tmp_path, lambda: False)
    inputs = Inputs(held.store, dict(reversed(read.items())), None, tmp_path)  # in any order
    report_step(ReportJob(campaign=held.campaign), inputs, outputs)
    assert {output.key.removeprefix("report/"): store.get(output.key) for output in outputs.written} == built
    assert outputs.told == gauges_of(json.loads(built["metrics.json"]), held.campaign)


def test_a_folder_that_is_not_empty_is_refused_and_untouched(held: Held, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("do not touch")
    with pytest.raises(UserError, match=f"{tmp_path}: "):
        report_main(["--store", held.store.url, "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_mistyped_store_makes_neither_store_nor_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        report_main(["--store", str(tmp_path / "mistyped"), "--out", str(tmp_path / "report")])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_makes_no_report_and_withdraws_nothing(tmp_path: Path, tiny_text: str) -> None:
    """Who only looks may not have the right to change what is there."""
    held = _fill(tmp_path, tiny_text)
    held.store.put("cohorts/study/members.jsonl", b"")
    committed = committed_jobs(held.store)
    with pytest.raises(DamagedObject, match=r"cohorts/study/members\.jsonl"):
        report_main(["--store", held.store.url, "--out", str(tmp_path / "report")])
    assert not (tmp_path / "report").exists()
    assert committed_jobs(held.store) == committed

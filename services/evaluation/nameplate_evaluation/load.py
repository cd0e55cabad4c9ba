"""Load the report's input from what is committed in a store."""

import platform
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import yaml

import nameplate
from nameplate.campaign import ORIGINAL, SKULL, Campaign
from nameplate.image.volume import Volume, read_nifti_bytes
from nameplate.job.inputs import Committed
from nameplate.job.result import digest_of
from nameplate.plan.plan import cells_of
from nameplate.steps import (
    cohort,
    fingerprint,
    ingest,
    prediction,
    selection,
    skullstrip,
    synthesis,
    training,
)
from nameplate.steps.cell import Cell
from nameplate.steps.synthesis import Sample
from nameplate.steps.training import Prediction, Run
from nameplate.store.folder_tar import unpack_folder
from nameplate_evaluation.challenge import load_detections, load_pages
from nameplate_evaluation.example import example_of
from nameplate_evaluation.fingerprint.features import Features, load_features
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult, Example

EXAMPLES_PER_LEVEL = 2


def load_results(campaign: Campaign, committed: Committed) -> CampaignResults:
    """Everything that the report shows, complete or not."""
    # The effective settings, not the file as written: comments must not change a result.
    text = yaml.safe_dump(campaign.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    runs = list(training.RUN.read_all(committed))
    cells = [_cell(cell, [run for run in runs if run.cell == cell], committed) for cell in cells_of(campaign)]
    return CampaignResults(
        campaign=campaign,
        campaign_text=text,
        cohorts=tuple(_cohort(name, committed) for name in campaign.cohorts),
        cells=tuple(cell for cell in cells if cell is not None),
        examples=tuple(_examples(campaign, committed)),
        detections=load_detections(committed),
        pages=load_pages(committed),
        provenance=_provenance(campaign, committed, runs),
    )


def _cohort(name: str, committed: Committed) -> CohortResult:
    refusals = cohort.REFUSALS.read_all(committed, cohort=name)
    refusals += synthesis.REFUSALS.read_all(committed, cohort=name)
    return CohortResult(
        name=name,
        exams=tuple(ingest.EXAMS.read_all(committed, cohort=name)),
        ledger=tuple(ingest.LEDGER.read_all(committed, cohort=name)),
        masks=tuple(skullstrip.REPORTS.read_all(committed, cohort=name)),
        targets=tuple(ingest.TARGETS.read_all(committed, cohort=name)),
        members=tuple(cohort.MEMBERS.read_all(committed, cohort=name)),
        refusals=tuple(refusals),
        measured=tuple(fingerprint.MEASURED.read_all(committed, cohort=name)),
        pictures={
            skullstrip.PICTURE.fields(key)["exam"]: committed.read(key)
            for key in skullstrip.PICTURE.keys(committed, cohort=name)
        },
        refused_pictures=_refused_pictures(name, committed),
    )


def _refused_pictures(name: str, committed: Committed) -> dict[str, bytes]:
    """The pictures of all shards, by the id of the ledger's row."""
    pictures: dict[str, bytes] = {}
    for key in ingest.REFUSED_PICTURES.keys(committed, cohort=name):
        with tempfile.TemporaryDirectory(prefix="nameplate-") as temporary:
            archive, folder = Path(temporary) / "refused.tar", Path(temporary) / "refused"
            archive.write_bytes(committed.read(key))
            unpack_folder(archive, folder)
            pictures |= {path.stem: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    return pictures


def _cell(cell: Cell, runs: list[Run], committed: Committed) -> CellResult | None:
    rounds = sorted(selection.SELECTION.read_all(committed, cell=cell), key=lambda made: made.round)
    if not rounds:
        return None
    predictions: dict[int, tuple[Prediction, ...]] = {}
    features: dict[int, Features] = {}
    for seed in sorted(run.seed for run in runs):
        name = cell.run(seed)
        test = prediction.TEST.read_all(committed, run=name)
        predictions[seed] = (*training.VALIDATION.read_all(committed, run=name), *test)
        found = load_features(committed, name, test)
        if isinstance(found, Features):
            features[seed] = found
    return CellResult(rounds=tuple(rounds), runs=tuple(runs), features=features, predictions=predictions)


def _examples(campaign: Campaign, committed: Committed) -> list[Example]:
    """The first test exams, by pseudonym, of each dataset and level of the factor."""
    study = next((name for name, settings in campaign.cohorts.items() if settings.role == "study"), None)
    if study is None:
        return []
    held = set(committed.keys)
    examples: list[Example] = []
    difficulties = [difficulty.name for difficulty in campaign.datasets.spheres.difficulties]
    own = [] if campaign.datasets.masks is None else [campaign.datasets.masks.dataset]
    for dataset in (ORIGINAL, *difficulties, *own, SKULL):
        samples = synthesis.SAMPLES.read_all(committed, cohort=study, dataset=dataset)
        for level in campaign.factor.levels:
            wanted = [
                sample
                for sample in sorted(samples, key=lambda sample: (sample.split != "test", sample.exam))
                if sample.level == level and _shows(sample, dataset, difficulties) and sample.image in held
            ]
            for sample in wanted[: EXAMPLES_PER_LEVEL if dataset not in difficulties else 1]:
                mask: Volume | None = None
                outline = sample.mask if sample.target is None else sample.target
                if outline in held and dataset != ORIGINAL:
                    mask = read_nifti_bytes(committed.read(outline))
                caption = ""
                if sample.sphere is not None:
                    caption = f"radius {sample.sphere.radius_mm:.1f} mm, {sample.sphere.hu_mean:.0f} HU"
                examples.append(
                    example_of(
                        sample.exam,
                        level,
                        dataset,
                        read_nifti_bytes(committed.read(sample.image)),
                        mask=mask,
                        sphere=sample.sphere,
                        caption=caption,
                    )
                )
    return examples


def _shows(sample: Sample, dataset: str, difficulties: list[str]) -> bool:
    """Whether the sample shows what is new in its dataset."""
    if sample.target is not None:
        return sample.label == 1
    return dataset not in difficulties or (sample.sphere is not None and sample.sphere.difficulty == dataset)


def _provenance(campaign: Campaign, committed: Committed, runs: Sequence[Run]) -> dict[str, str]:
    digests = committed.digests
    areas = {
        area: digest_of({key: digest for key, digest in digests.items() if key.startswith(f"{area}/")})
        for area in ("cohorts", "datasets", "models")
    }
    trained_by: dict[str, set[str]] = {}
    for run in runs:
        for name, number in run.versions.items():
            trained_by.setdefault(name, set()).add(number)
    return {
        "nameplate": nameplate.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "nibabel")},
        **{name: ", ".join(sorted(numbers)) for name, numbers in trained_by.items()},
        "campaign seed": str(campaign.seed),
        "campaign digest": digest_of(campaign.model_dump(mode="json")),
        **{f"digest of {area}": digest for area, digest in areas.items()},
    }

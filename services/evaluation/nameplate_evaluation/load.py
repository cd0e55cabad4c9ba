"""Fill the report's input from what is committed in a store."""

import platform
from collections.abc import Iterable, Mapping
from typing import Protocol

import yaml

import nameplate
from nameplate import keys
from nameplate.campaign import ORIGINAL, SKULL, Campaign
from nameplate.image.volume import Volume, read_nifti_bytes
from nameplate.plan import Cell, cells_of
from nameplate.records import (
    Exam,
    LedgerRow,
    MaskReport,
    Member,
    Prediction,
    R,
    Refusal,
    Run,
    Sample,
    Selection,
    from_jsonl,
)
from nameplate.result import digest_of
from nameplate_evaluation.example import example_of
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult, Example

EXAMPLES_PER_LEVEL = 2


class Reader(Protocol):
    """Committed objects: their keys with digests, and their content."""

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every committed object, by key."""

    def read(self, key: str) -> bytes:
        """A committed object, checked."""


def load_results(campaign: Campaign, reader: Reader) -> CampaignResults:
    """Everything that the report shows, complete or in part."""
    # The settings as they count, not the file as it was written: comments must not change a result.
    text = yaml.safe_dump(campaign.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    known = sorted(reader.digests())
    return CampaignResults(
        campaign=campaign,
        campaign_text=text,
        cohorts=tuple(_cohort(name, known, reader) for name in campaign.cohorts),
        cells=tuple(
            result for cell in cells_of(campaign) if (result := _cell(cell, known, reader)) is not None
        ),
        examples=tuple(_examples(campaign, known, reader)),
        provenance=_provenance(campaign, reader),
    )


def _rows(kind: type[R], prefix: str, known: Iterable[str], reader: Reader) -> tuple[R, ...]:
    """All rows of the files below a prefix."""
    rows: list[R] = []
    for key in known:
        if key.startswith(prefix):
            rows += from_jsonl(kind, reader.read(key))
    return tuple(rows)


def _cohort(name: str, known: list[str], reader: Reader) -> CohortResult:
    refusals = _rows(Refusal, keys.refusals(name), known, reader)
    prefixes = {key.rpartition("/")[0] + "/" for key in known if key.startswith(f"datasets/{name}/")}
    for prefix in sorted(prefix for prefix in prefixes if prefix.endswith("/refusals/")):
        refusals += _rows(Refusal, prefix, known, reader)
    return CohortResult(
        name=name,
        exams=_rows(Exam, f"cohorts/{name}/exams/", known, reader),
        ledger=_rows(LedgerRow, f"cohorts/{name}/ledger/", known, reader),
        masks=_rows(MaskReport, f"cohorts/{name}/mask-reports/", known, reader),
        members=_rows(Member, keys.members(name), known, reader),
        refusals=refusals,
    )


def _cell(cell: Cell, known: list[str], reader: Reader) -> CellResult | None:
    prefix = f"models/{cell.id}/"
    mine = [key for key in known if key.startswith(prefix)]
    rounds = tuple(Selection.model_validate_json(reader.read(key)) for key in mine if "/selection-r" in key)
    if not rounds:
        return None
    runs = tuple(Run.model_validate_json(reader.read(key)) for key in mine if key.endswith("/run.json"))
    predictions: dict[int, tuple[Prediction, ...]] = {}
    for seed in rounds[-1].kept:
        predictions[seed] = tuple(
            row
            for file in ("predictions-val.jsonl", "predictions-test.jsonl")
            for row in _rows(Prediction, keys.run(cell.id, seed, file), mine, reader)
        )
    return CellResult(rounds=rounds, runs=runs, predictions=predictions)


def _examples(campaign: Campaign, known: list[str], reader: Reader) -> list[Example]:
    """Of each dataset and level of the factor, the first test exams by pseudonym."""
    cohort = next((n for n, c in campaign.cohorts.items() if c.role == "study"), None)
    if cohort is None:
        return []
    held = set(known)
    examples: list[Example] = []
    difficulty = [level.name for level in campaign.datasets.spheres.levels]
    for dataset in (ORIGINAL, *difficulty, SKULL):
        samples = _rows(Sample, f"datasets/{cohort}/{dataset}/samples/", known, reader)
        for level in campaign.factor.levels:
            wanted = [
                sample
                for sample in sorted(samples, key=lambda sample: (sample.split != "test", sample.exam))
                if sample.level == level and _shows(sample, dataset, difficulty) and sample.image in held
            ]
            for sample in wanted[: EXAMPLES_PER_LEVEL if dataset in (ORIGINAL, SKULL) else 1]:
                mask: Volume | None = None
                if sample.mask in held and dataset != ORIGINAL:
                    mask = read_nifti_bytes(reader.read(sample.mask))
                caption = ""
                if sample.sphere is not None:
                    caption = f"radius {sample.sphere.radius_mm:.1f} mm, {sample.sphere.hu_mean:.0f} HU"
                examples.append(
                    example_of(
                        sample.exam,
                        level,
                        dataset,
                        read_nifti_bytes(reader.read(sample.image)),
                        mask=mask,
                        sphere=sample.sphere,
                        caption=caption,
                    )
                )
    return examples


def _shows(sample: Sample, dataset: str, difficulty: list[str]) -> bool:
    """Whether the sample shows what is new in its dataset."""
    if dataset in difficulty:
        return sample.sphere is not None and sample.sphere.level == dataset
    return True


def _provenance(campaign: Campaign, reader: Reader) -> dict[str, str]:
    digests = reader.digests()
    of = {
        area: digest_of({key: digest for key, digest in digests.items() if key.startswith(f"{area}/")})
        for area in ("cohorts", "datasets", "models")
    }
    return {
        "nameplate": nameplate.__version__,
        "python": platform.python_version(),
        **_versions(),
        "campaign seed": str(campaign.seed),
        "campaign digest": digest_of(campaign.model_dump(mode="json")),
        **{f"digest of {area}": digest for area, digest in of.items()},
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("numpy", "scipy", "torch", "monai", "nibabel"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

"""The fingerprint's tables."""

from nameplate.image.fingerprint.catalogue import STAGES
from nameplate.image.fingerprint.slices import Missing
from nameplate_evaluation.fingerprint.networks import RunsProbe
from nameplate_evaluation.fingerprint.where_it_lives import NETWORKS, CohortFingerprint, Fingerprint, Place
from nameplate_evaluation.fingerprint.words import noun_of
from nameplate_evaluation.table import Column, Table, Value

SECTION = "fingerprint"
STAGE_TITLES = {
    "as read": "As read",
    "nifti": "NIfTI",
    "windowed": "Windowed",
    "brain alone": "Brain alone",
    NETWORKS: "Networks' last features",
}
"""Headings of the chain's stages, in order."""


def tables(fingerprint: Fingerprint) -> tuple[Table, ...]:
    """Where it lives, what carries it, and the networks' features; without rows where nothing was probed."""
    return (places_table(fingerprint), carriers_table(fingerprint), networks_table(fingerprint))


def places_table(fingerprint: Fingerprint) -> Table:
    """Every group of measures at every stage."""
    rows = tuple(_place_row(cohort, place) for cohort in fingerprint.cohorts for place in cohort.places)
    factor = _factor(fingerprint)
    return Table(
        "where-it-lives",
        f"How well each group of numbers names the {factor}, by stage of the chain",
        (
            Column("cohort", "Cohort"),
            Column("group", "Group of numbers"),
            Column("stage", "Stage"),
            Column("exams", "Exams", "count"),
            Column("auroc", "AUROC", "number"),
            Column("chance", "Chance alone"),
            Column("p", "p, all probes", "p"),
            Column("balanced_accuracy", "Balanced, %", "percent"),
            Column("note", "Note"),
        ),
        rows,
        "A linear probe on exams of patients that it was not trained on (5 folds); several levels: each"
        " against the rest. Chance alone: the band of 95 % of the AUROCs of permuted labels; a patient's"
        " labels stay together. p allows for all probes of the cohort (step-down maximum of Westfall and"
        " Young). Balanced: mean of sensitivity and specificity. That a probe names the"
        f" {factor} from a network's features does not show that the network's answers rest on it; the"
        " effects of the training set do.",
        SECTION,
    )


def _place_row(cohort: CohortFingerprint, place: Place) -> tuple[Value, ...]:
    chance = None if place.low is None else f"{place.low:.2f} to {place.high:.2f}"
    runs = "" if place.runs is None else f"runs: {place.runs}, {place.lowest:.2f} to {place.highest:.2f}"
    return (
        cohort.cohort,
        place.group,
        STAGE_TITLES[place.stage],
        place.exams,
        place.auroc,
        chance,
        place.p_family,
        place.balanced_accuracy,
        "; ".join(part for part in (runs, place.note) if part),
    )


def carriers_table(fingerprint: Fingerprint) -> Table:
    """The single measures that name the level best, with their values at each level."""
    levels = tuple(dict.fromkeys(level for cohort in fingerprint.cohorts for level in cohort.levels))
    rows: list[tuple[Value, ...]] = []
    for cohort in fingerprint.cohorts:
        for carrier in cohort.carriers:
            of = dict(zip(cohort.levels, carrier.values, strict=True))
            rows.append(
                (
                    cohort.cohort,
                    carrier.group,
                    carrier.title,
                    *carrier.aurocs,
                    carrier.unit,
                    STAGE_TITLES[carrier.stage],
                    *(of.get(level) for level in levels),
                )
            )
    factor = _factor(fingerprint)
    return Table(
        "carriers",
        f"The single numbers that name the {factor} best",
        (
            Column("cohort", "Cohort"),
            Column("group", "Group"),
            Column("measure", "Measure"),
            *(
                Column(f"auroc_{stage.replace(' ', '_')}", STAGE_TITLES[stage], "number", "AUROC of it alone")
                for stage in STAGES
            ),
            Column("unit", "Unit"),
            Column("stage", "Values at"),
            *(Column(f"level_{place}", level) for place, level in enumerate(levels)),
        ),
        tuple(rows),
        f"Up to three of each group that names the {factor} beyond chance at some stage. Values: median"
        " (quartiles), or the most frequent texts (exams). Listed are the best of several, picked by what"
        " each reaches by itself, and so that AUROC is too high: more so, the more numbers a group has.",
        SECTION,
    )


def networks_table(fingerprint: Fingerprint) -> Table:
    """The networks' last features by cell."""
    rows: list[tuple[Value, ...]] = []
    for cohort in fingerprint.cohorts:
        for cell in cohort.cells:
            missing = next((one for one in (cell.overall, cell.within) if isinstance(one, Missing)), None)
            rows.append(
                (
                    cohort.cohort,
                    cell.experiment,
                    cell.dataset,
                    cell.training_set,
                    cell.group + 1,
                    cell.exams,
                    len(cell.overall.aurocs) if isinstance(cell.overall, RunsProbe) else 0,
                    *_mean_and_range(cell.overall),
                    *_mean_and_range(cell.within),
                    missing.reason if missing else "",
                )
            )
    factor = _factor(fingerprint)
    return Table(
        "network-features",
        f"AUROC of naming the {factor} from the last features of each cell's networks",
        (
            Column("cohort", "Cohort"),
            Column("experiment", "Experiment"),
            Column("task", "Task"),
            Column("trained_on", "Trained on"),
            Column("group", "Group", "count"),
            Column("exams", "Test exams", "count"),
            Column("runs", "Runs", "count"),
            Column("mean", "Mean", "number", "All test exams"),
            Column("lowest", "Lowest", "number", "All test exams"),
            Column("highest", "Highest", "number", "All test exams"),
            Column("within_mean", "Mean", "number", "Within class"),
            Column("within_lowest", "Lowest", "number", "Within class"),
            Column("within_highest", "Highest", "number", "Within class"),
            Column("note", "Note"),
        ),
        tuple(rows),
        "Over the kept runs. Within class: positive and negative exams are probed apart, and the two are"
        f" averaged. A feature that names the {factor} is encoded, which does not show that it is used.",
        SECTION,
    )


def _mean_and_range(found: RunsProbe | Missing | None) -> tuple[float | None, float | None, float | None]:
    if not isinstance(found, RunsProbe):
        return None, None, None
    return float(found.aurocs.mean()), float(found.aurocs.min()), float(found.aurocs.max())


def _factor(fingerprint: Fingerprint) -> str:
    return noun_of(fingerprint.cohorts[0].factor) if fingerprint.cohorts else "factor"

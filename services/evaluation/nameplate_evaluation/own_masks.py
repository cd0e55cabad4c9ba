"""Segmentation by masks of the user's own: the Dice, what training on one level does to it, and the masks."""

from collections.abc import Sequence

import numpy as np

from nameplate_evaluation.advantage import Advantage, advantages_of
from nameplate_evaluation.analysis import ALL, VAL, Analysis
from nameplate_evaluation.effect_tables import ROLES
from nameplate_evaluation.prevalence import by_level, columns_by_level
from nameplate_evaluation.table import Column, Table, Value, interval, printed
from nameplate_evaluation.tables import models

EMPTY = (
    "Two empty masks agree: where the user's mask and the network's are both empty, Dice is 1; where one of"
    " them is, 0."
)


def name_of(analysis: Analysis) -> str:
    """What the masks show, as the campaign calls it."""
    masks = analysis.campaign.datasets.masks
    return "" if masks is None else masks.name


def sentence_of(analysis: Analysis) -> str | None:
    """What is said of a campaign that classifies nothing; None without an advantage in Dice."""
    for advantage in advantages_of(analysis, analysis.of_task("masks")):
        factor, overall = analysis.campaign.factor.title, advantage.overall
        return (
            f"no claim is made where nothing is classified: in segmentation of {name_of(analysis)}, the"
            f" advantage of the {factor} that was trained on is {printed(overall.mean, 'dice points')} Dice"
            f" ({interval(overall, 'dice points')})."
        )
    return None


def dice_table(analysis: Analysis) -> Table:
    """Dice by training set and level, one row per cell."""
    places = [(VAL, "Validation"), (ALL, "Test, all")]
    places += [(level, f"Test, {level}") for level in analysis.levels]
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.of_task("masks"):
        for figures in grid.cells:
            dice = (analysis.estimate(figures.measured.get((exams, "dice"))) for exams, _ in places)
            cell = (grid.experiment.name, grid.cohort, figures.training_set)
            rows.append((*cell, models(figures.cell.selection), *dice))
    return Table(
        "dice-of-own-masks",
        f"Segmentation of {name_of(analysis)}, Dice",
        (
            Column("experiment", "Experiment"),
            Column("cohort", "Cohort"),
            Column("training_set", "Trained on"),
            Column("models", "Runs"),
            *(Column(key.lower(), label, "dice") for key, label in places),
        ),
        tuple(rows),
        f"{EMPTY} So levels with more empty masks have another Dice: see how many there are.",
        "masks",
    )


def advantage_table(analysis: Analysis, advantages: Sequence[Advantage]) -> Table:
    """What training on one level does to the Dice, in the study and in its controls."""
    factor = analysis.campaign.factor.title
    rows: list[tuple[Value, ...]] = []
    for one in advantages:
        grid, overall = one.grid, one.overall
        if grid.experiment.task == "masks" and one.metric == "dice":
            where = (ROLES[analysis.role(grid.cohort)], grid.cohort, grid.experiment.name)
            rows.append((*where, overall, overall.p, overall.run_share, overall.detectable))
    return Table(
        "own-dice-advantage",
        f"Own-{factor} advantage in segmentation of {name_of(analysis)}",
        (
            Column("role", "Role"),
            Column("cohort", "Cohort"),
            Column("experiment", "Experiment"),
            Column("dice", "Dice", "dice points"),
            Column("p", "p", "p"),
            Column("run_share", "Runs' share, %", "percent"),
            Column("detectable", "Detectable", "dice"),
        ),
        tuple(rows),
        f"Mean Dice on the {factor} that was trained on, minus that on the others, over the training sets of"
        f" one {factor}. Detectable: what would have been found in four campaigns of five.",
        "effect",
    )


def volume_table(analysis: Analysis) -> Table:
    """How many masks show something, by level and split, and how much; one row per cohort and level."""
    volumes = {t.exam: t.volume_ml for cohort in analysis.results.cohorts for t in cohort.targets}
    rows: list[tuple[Value, ...]] = []
    for cohort in analysis.results.cohorts:
        for level, members, counts in by_level(cohort.members, analysis.levels, lambda one: one.outlined):
            found = [volumes[one.exam] for one in members if one.outlined and one.exam in volumes]
            rows.append((cohort.name, level, *counts, *_quartiles(found)))
    name = name_of(analysis)
    return Table(
        "masks",
        f"Masks: prevalence and volume of {name}",
        (
            *columns_by_level(analysis, "outlined", f"With {name}"),
            Column("volume_low", "Lower quartile", "number", "Volume, ml"),
            Column("volume", "Median", "number", "Volume, ml"),
            Column("volume_high", "Upper quartile", "number", "Volume, ml"),
        ),
        tuple(rows),
        "The masks are taken as they are: levels are matched on what the campaign says, not on the masks. The"
        " others are empty: nothing is there. Volumes are of those that show something, on the grid of the"
        " exams' images. Small lesions have a smaller Dice: where volumes differ, so does the Dice, whatever"
        " the network.",
        "cohort",
    )


def _quartiles(volumes: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    if not volumes:
        return None, None, None
    low, middle, high = (float(one) for one in np.quantile(volumes, (0.25, 0.5, 0.75)))
    return low, middle, high

"""The picture of where the fingerprint lives: groups of numbers by stage of the chain."""

import textwrap

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nameplate_evaluation.fingerprint.tables import STAGE_TITLES
from nameplate_evaluation.fingerprint.where_it_lives import (
    MISSING,
    NO_NUMBER,
    CohortFingerprint,
    Fingerprint,
    Place,
)
from nameplate_evaluation.fingerprint.words import noun_of
from nameplate_evaluation.panel import GRID, INK, Panel, draw

_WIDEST = 34
"""Letters of a row's name in one line."""
_LINE_INCHES = 0.21
_PALE, _SOFT = "#f0f0f0", "#666666"
_WHY = {NO_NUMBER: "no number", MISSING: "one-sided", "too few": "too few"}
"""What a cell without a result says, by how its place's note begins."""


def panels(fingerprint: Fingerprint) -> tuple[Panel, ...]:
    """One a cohort in which anything was probed."""
    several = len(fingerprint.cohorts) > 1
    return tuple(
        _panel(cohort, f", cohort {cohort.cohort}" if several else "")
        for cohort in fingerprint.cohorts
        if any(place.auroc is not None for place in cohort.places)
    )


def _panel(cohort: CohortFingerprint, which: str) -> Panel:
    noun, probes = noun_of(cohort.factor), sum(place.auroc is not None for place in cohort.places)
    names = [_lines(group) for group in cohort.groups]
    heights = [max(len(lines), 1.35) * _LINE_INCHES for lines in names]
    return draw(
        f"where-it-lives-{cohort.cohort}",
        f"Where the fingerprint lives, and what each step of the chain removes{which}",
        lambda axes: _paint(axes, cohort, names, heights),
        size=(6.4, sum(heights) + 0.55),
        caption=f"AUROC of naming the {noun} from each group of numbers alone; 0.5 is chance. Coloured:"
        f" beyond chance, allowing for all {probes} probes (5 %). Grey and hatched: no better than permuted"
        " labels. Empty: not there at this stage; the table says why a number is missing.",
    )


def _lines(group: str) -> list[str]:
    """A row's name in lines; that of networks is cut between what they do and what they learnt from."""
    if len(group) > _WIDEST:
        group = group.replace(", trained on ", ",\ntrained on ")
    return [line for part in group.split("\n") for line in textwrap.wrap(part, _WIDEST)]


def _paint(axes: Axes, cohort: CohortFingerprint, names: list[list[str]], heights: list[float]) -> None:
    stages = list(STAGE_TITLES)
    top, middles = 0.0, []
    for group, height in zip(cohort.groups, heights, strict=True):
        for column, stage in enumerate(stages):
            place = cohort.place(group, stage)
            if place is not None:
                _cell(axes, place, column, top, height)
        middles.append(top + height / 2)
        top += height
    axes.set_xlim(-0.5, len(stages) - 0.5)
    axes.set_ylim(top, 0)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(stages)), [title.replace("' ", "'\n") for title in STAGE_TITLES.values()])
    axes.set_yticks(middles, ["\n".join(lines) for lines in names])
    axes.tick_params(labelsize=9)


def _cell(axes: Axes, place: Place, column: int, top: float, height: float) -> None:
    gap = 0.025
    corner, size = (column - 0.5 + gap, top + gap / 2), (1 - 2 * gap, height - gap)
    middle = (column, top + height / 2)
    if place.auroc is None:
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=GRID, linewidth=0.8))
        why = next((words for begins, words in _WHY.items() if place.note.startswith(begins)), "not kept")
        axes.text(*middle, why, ha="center", va="center", fontsize=8, color=_SOFT)
        return
    number = f"{place.auroc:.2f}"
    if place.named:
        # From a pale to a deep blue; the palest ones would look like an empty cell.
        colour = colormaps["Blues"](0.15 + 0.8 * min(max((place.auroc - 0.5) / 0.5, 0.0), 1.0))
        axes.add_patch(Rectangle(corner, *size, facecolor=colour, edgecolor="none"))
        ink = "white" if _is_dark(colour) else INK
        axes.text(*middle, number, ha="center", va="center", fontsize=9, color=ink)
    else:
        axes.add_patch(
            Rectangle(corner, *size, facecolor=_PALE, edgecolor="#d2d2d2", hatch="////", linewidth=0)
        )
        label = axes.text(*middle, number, ha="center", va="center", fontsize=9, color=INK)
        label.set_bbox({"facecolor": _PALE, "edgecolor": "none", "pad": 1.2})


def _is_dark(colour: tuple[float, float, float, float]) -> bool:
    """Whether white is easier to read on it than ``INK``, by WCAG's relative luminance."""
    red, green, blue = ((c + 0.055) ** 2.4 / 1.055**2.4 if c > 0.03928 else c / 12.92 for c in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.21

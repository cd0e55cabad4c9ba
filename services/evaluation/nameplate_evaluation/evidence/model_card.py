"""The model card of a campaign: its networks, data, results and limits on two pages of plain text."""

from collections.abc import Iterator, Sequence

from nameplate.campaign.experiment import ExperimentSettings
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.answer import Answer
from nameplate_evaluation.evidence.criteria import Criterion, Size
from nameplate_evaluation.limits import limits_of
from nameplate_evaluation.table import interval, printed


def model_card(
    analysis: Analysis, answer: Answer, criteria: Sequence[Criterion], sizes: Sequence[Size]
) -> bytes:
    """The card as Markdown, in the spirit of FDA's example card (draft guidance of 2025, appendix E)."""
    return ("\n".join(_lines(analysis, answer, criteria, sizes)) + "\n").encode()


def _lines(
    analysis: Analysis, answer: Answer, criteria: Sequence[Criterion], sizes: Sequence[Size]
) -> Iterator[str]:
    campaign = analysis.campaign
    yield f"# Model card: the networks of campaign {_plain(campaign.name)}"
    yield ""
    yield _plain(answer.sentence)
    yield ""
    yield from _section(
        "Model",
        [
            _made_by(analysis),
            *(_network(analysis, experiment) for experiment in campaign.experiments),
        ],
    )
    yield from _section(
        "Intended use",
        [
            "To measure what the training set's scanners do to a network. Not for patients: "
            + (
                "the lesions are synthetic, and no network was judged on disease."
                if campaign.datasets.spheres.difficulties
                else "no network was judged in use."
            ),
        ],
    )
    yield from _section("Data", list(_data(analysis)))
    yield from _section("Stated before, and whether it was met", list(_verdicts(criteria, sizes)))
    yield from _section("What it rests on", [f"{word}: {line}" for word, line in answer.rests_on])
    yield from _section("Warnings", list(answer.warnings))
    yield from _section("Limits: what is not shown", list(limits_of(analysis)))
    yield "Every number with its interval is in index.html and metrics.json beside this card."


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"## {title}"
        yield ""
        yield from (f"- {_plain(line)}" for line in lines)
        yield ""


def _made_by(analysis: Analysis) -> str:
    campaign = analysis.campaign
    version = analysis.results.provenance.get("nameplate", "of unknown version")
    stated = f", stated on {campaign.stated_on}" if campaign.stated_on is not None else ""
    return f"Made by nameplate {version}, seed {campaign.seed}{stated}"


def _network(analysis: Analysis, experiment: ExperimentSettings) -> str:
    runs = [
        run
        for cell in analysis.results.cells
        if cell.cell.experiment == experiment.name
        for run in cell.runs
        if run.cell == cell.cell
    ]
    kept = sum(
        len(cell.selection.kept) for cell in analysis.results.cells if cell.cell.experiment == experiment.name
    )
    does = experiment.what.does.format(factor=analysis.campaign.factor.title)
    sizes = sorted({run.parameters for run in runs})
    size = f", {' or '.join(f'{count:,}' for count in sizes)} parameters" if sizes else ""
    window = experiment.input.window
    return (
        f"{experiment.name}: {does} ({experiment.network.title}){size}; window"
        f" {window.width}/{window.level} HU, {experiment.input.slices} slices; trained on"
        f" {', '.join(arm.name for arm in experiment.all_arms)}; {kept} of {len(runs)} runs kept"
    )


def _data(analysis: Analysis) -> Iterator[str]:
    for cohort in analysis.results.cohorts:
        role = analysis.role(cohort.name).replace("-", " ")
        simulated = analysis.campaign.exams_of(cohort.name).phantom is not None
        kind = "simulated" if simulated else "clinical"
        parts = []
        for level in analysis.levels:
            members = [member for member in cohort.members if member.level == level]
            splits = [
                f"{sum(member.split == split for member in members)} {split}"
                for split in ("train", "val", "test")
            ]
            parts.append(f"{level}: {len(members)} exams ({', '.join(splits)})")
        yield f"{cohort.name} ({role}, {kind}): {'; '.join(parts)}; {len(cohort.refusals)} left out"


def _verdicts(criteria: Sequence[Criterion], sizes: Sequence[Size]) -> Iterator[str]:
    for one in criteria:
        result = "no result"
        if one.estimate is not None:
            result = f"{printed(one.estimate.mean, 'points')} points ({interval(one.estimate, 'points')})"
        yield (
            f"{one.experiment}, cohort {one.cohort}: advantage within {100 * one.margin:g} points: {result}:"
            f" {one.verdict}, as {one.why}"
        )
    for size in sizes:
        yield f"{size.what}: {size.there} of {size.stated} stated: {size.verdict}"


def _plain(text: str) -> str:
    """Text that Markdown prints as it is, on one line."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|" else letter for letter in flat)

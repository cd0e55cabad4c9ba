"""Where the campaign's settings depart from the paper's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import ExperimentSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.networks import MonaiSettings, NetworkSettings, PythonSettings, ResNet3dSettings
from nameplate.campaign.tasks import TaskName

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Departure:
    """One setting, the paper's value and this campaign's."""

    setting: str
    paper: str
    here: str

    @property
    def differs(self) -> bool:
        """Whether the values differ; a value that the paper does not state always counts."""
        return self.paper != self.here


def departures_of(campaign: Campaign) -> tuple[Departure, ...]:
    """Every setting that the paper names or must have had, compared, including equal ones."""
    rows: list[Departure] = []
    factor = campaign.factor
    rows.append(
        Departure("factor and levels", "manufacturer: GE, Siemens", f"{factor.noun}: {_list(factor.levels)}")
    )
    for name, cohort in campaign.cohorts.items():
        if cohort.role != "study":
            rows.append(Departure(f"cohort {name}", "none", cohort.role.replace("-", " ")))
            continue
        source = "a folder of DICOM files"
        exams = cohort.match.exams_per_level if cohort.match else None
        here = f"all that match, {len(factor.levels)} levels" if exams is None else f"{exams} a level"
        if cohort.phantom is not None:
            twins = ", twins" if cohort.phantom.twins else ""
            source = f"simulated heads, signature {cohort.phantom.signature:g}{twins}"
            here = f"{cohort.phantom.exams} simulated" if exams is None else here
        rows += [
            Departure(f"{name}: exams from", "clinical exams, two hospitals", source),
            Departure(f"{name}: exams", "391 a level", here),
            Departure(f"{name}: matched on", "age, sex", _matched(campaign, name)),
            Departure(f"{name}: pixels of a slice", "256 x 256", _square(cohort.ingest.matrix)),
            Departure(f"{name}: slice distance, mm", "5", f"{cohort.ingest.slice_mm:g}"),
        ]
    rows.append(Departure("slices of an exam", "35", str(campaign.datasets.slices)))
    rows += _spheres(campaign)
    for experiment in campaign.experiments:
        rows += _experiment(experiment, factor)
    return tuple(rows)


def _matched(campaign: Campaign, name: str) -> str:
    match = campaign.cohorts[name].match
    if match is None:
        return "nothing"
    return _list(("age", *(["sex"] if match.sex else []), *(field.noun for field in match.same)))


def _square(matrix: int) -> str:
    return f"{matrix} x {matrix}"


def _list(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values)


# Radii in mm, mean and standard deviation in HU, share of the positives.
_PAPER_SPHERES = {
    "easy": ("21\u201326 mm, 50 \u00b1 2 HU, all positives"),
    "medium": ("13\u201317 mm, 40 \u00b1 2 HU, 20 % of easy"),
    "hard": ("13\u201317 mm, 40 \u00b1 2 HU, 35 % of easy"),
}


def _spheres(campaign: Campaign) -> Iterator[Departure]:
    spheres = campaign.datasets.spheres
    for difficulty in spheres.difficulties:
        low, high = difficulty.radius_mm
        start = difficulty.start
        share = "all positives" if start is None else f"{100 * difficulty.share:g} % of {start}"
        here = f"{low:g}\u2013{high:g} mm, {difficulty.hu_mean:g} \u00b1 {difficulty.hu_sd:g} HU, {share}"
        yield Departure(f"spheres, {difficulty.name}", _PAPER_SPHERES.get(difficulty.name, "none"), here)
    for name, words in _PAPER_SPHERES.items():
        if name not in {difficulty.name for difficulty in spheres.difficulties}:
            yield Departure(f"spheres, {name}", words, "none")
    yield Departure("exams with a sphere", "49.9 %", f"{100 * campaign.datasets.positives:.1f} %")
    yield Departure("sphere intensity drawn", NOT_STATED, spheres.intensity.replace("_", " "))


@dataclass(frozen=True)
class _Paper:
    network: str
    window: str
    reach: str
    slices: str
    channels: str
    rate: str
    batch: str
    first: str
    keep: str
    groups: str


_PAPER: dict[TaskName, _Paper] = {
    "factor": _Paper("2-D network", "400 / 40", "-1 to 1", "3", "32, 64, 128", "0.005", "32", "5", "2", "2"),
    "spheres": _Paper(
        "3-D ResNet", "100 / 50", "0 to 1", "35", "32, 64, 128, 256", "5e-05", "32", "10", "6", "1"
    ),
    "segmentation": _Paper(
        "3-D U-Net",
        "100 / 50",
        "0 to 1",
        "32",
        "8, 16, 32, 64, 128",
        "0.0001",
        NOT_STATED,
        "5",
        NOT_STATED,
        "1",
    ),
}


_REGIONS = {"head": "head", "brain": "brain; the rest at its median HU"}


def _network(network: NetworkSettings, paper: _Paper) -> Iterator[tuple[str, str, str]]:
    yield "network", paper.network, network.title
    if isinstance(network, MonaiSettings | PythonSettings):
        yield "network's arguments", "none", json.dumps(network.arguments, sort_keys=True)
        return
    if isinstance(network, ResNet3dSettings):
        yield "strides of the scales", NOT_STATED, _list(network.all_strides)
        yield "dense layer, units", "1000", str(network.hidden or "none")
    yield "channels", paper.channels, _list(network.channels)


def _experiment(experiment: ExperimentSettings, factor: FactorSettings) -> Iterator[Departure]:
    if experiment.task not in _PAPER:
        yield Departure(f"{experiment.name}: task", "none", experiment.what.title)
        return
    paper, training = _PAPER[experiment.task], experiment.training
    window = experiment.input.window
    low, high = experiment.input.range
    chosen_on = "all levels" if experiment.choose_on == "all" else f"the own {factor.noun}"
    pairs = [
        ("window / level, HU", paper.window, f"{window.width} / {window.level}"),
        ("input range", paper.reach, f"{low:g} to {high:g}"),
        ("input region", "head", _REGIONS[experiment.input.region]),
        ("input slices", paper.slices, str(experiment.input.slices)),
        *_network(experiment.network, paper),
        ("learning rate (Adam)", paper.rate, f"{training.rate:g}"),
        ("schedule of the rate", "constant", training.schedule.replace("_", " ")),
        ("batch", paper.batch, str(training.batch)),
        ("epochs", NOT_STATED, str(training.epochs)),
        ("flips", "none stated", "left-right" if training.flips else "none stated"),
        ("runs of the first round", paper.first, str(experiment.rounds.first)),
        ("runs kept", paper.keep, str(experiment.rounds.keep)),
        ("runs chosen on validation exams of", "the own manufacturer", chosen_on),
        ("groups", paper.groups, str(experiment.groups)),
    ]
    for setting, theirs, ours in pairs:
        yield Departure(f"{experiment.name}: {setting}", theirs, ours)

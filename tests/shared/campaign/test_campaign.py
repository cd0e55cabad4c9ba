"""Campaign files: what ships is right, and what is wrong is named with its path and value."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.campaign.experiment import LearningSettings
from nameplate.campaign.networks import (
    MonaiSettings,
    PythonSettings,
    ResNet3dSettings,
    SliceCnnSettings,
    UNet3dSettings,
)
from nameplate.campaign.tasks import TASKS, TaskName
from nameplate.errors import CampaignError

CAMPAIGNS = Path(__file__).parents[3] / "campaigns"


def _demo() -> dict[str, Any]:
    """The demo, without what its experiments share: a change in one is a change in that one alone."""
    shared = yaml.safe_load((CAMPAIGNS / "demo.yaml").read_text())
    raw: dict[str, Any] = json.loads(json.dumps(shared))
    return raw


def _refusal(raw: Any) -> str:
    with pytest.raises(CampaignError) as caught:
        parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(CAMPAIGNS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_campaign_that_ships_is_valid(path: Path) -> None:
    assert load_campaign(path).name == path.stem


def test_the_papers_numbers() -> None:
    paper = load_campaign(CAMPAIGNS / "paper.yaml")
    first, second, third = map(paper.experiment, ("manufacturer", "spheres", "skull"))
    assert (first.training.rate, first.training.batch, first.groups) == (5e-3, 32, 2)
    assert (first.input.window.width, first.input.window.level, first.input.range) == (400, 40, (-1, 1))
    assert first.network == SliceCnnSettings(channels=(32, 64, 128))
    assert (second.training.rate, second.training.batch) == (5e-5, 32)
    resnet = ResNet3dSettings(channels=(32, 64, 128, 256), strides=(1, 2, 2, 2), hidden=1000)
    assert (second.network, second.input.slices, second.rounds.target) == (resnet, 35, 6)
    assert third.training.rate == 1e-4
    assert (third.network, third.input.slices) == (UNet3dSettings(channels=(8, 16, 32, 64, 128)), 32)
    easy, medium, hard = paper.datasets.spheres.difficulties
    assert (easy.radius_mm, easy.hu_mean, easy.hu_sd, easy.share) == ((21, 26), 50, 2, 1)
    assert (medium.radius_mm, medium.hu_mean, medium.share, medium.start) == ((13, 17), 40, 0.2, "easy")
    assert (hard.radius_mm, hard.hu_mean, hard.share, hard.start) == ((13, 17), 40, 0.35, "easy")


def test_unknown_key() -> None:
    raw = _demo()
    raw["cohorts"]["study"]["phantom"]["sginature"] = 1.0
    assert _refusal(raw) == "my.yaml: cohorts.study.phantom.sginature: unknown key"


def test_wrong_type_names_the_value() -> None:
    raw = _demo()
    raw["experiments"][1]["rounds"]["first"] = "x"
    assert _refusal(raw).startswith("my.yaml: experiments[1].rounds.first: ")
    assert _refusal(raw).endswith("got 'x'")


def test_a_number_is_not_read_from_text() -> None:
    raw = _demo()
    raw["seed"] = "7"
    assert "seed: input should be a valid integer, got '7'" in _refusal(raw)


def test_keys_of_older_files_say_what_became_of_them() -> None:
    raw = _demo()
    raw["experiments"][1]["training"]["checkpoint_epochs"] = 4
    gone = "experiments[1].training.checkpoint_epochs: this key is gone: a checkpoint is written after every"
    assert _refusal(raw) == f"my.yaml: {gone} epoch"
    raw = _demo()
    raw["datasets"]["spheres"]["levels"] = raw["datasets"]["spheres"].pop("difficulties")
    assert _refusal(raw).splitlines() == [
        "my.yaml: datasets.spheres.difficulties: required, but missing",
        "my.yaml: datasets.spheres.levels: this key is now called datasets.spheres.difficulties",
    ]


def test_the_bootstrap_of_older_files_says_what_became_of_it() -> None:
    raw = _demo()
    raw["bootstrap"] = {"resamples": 2000, "confidence": 0.95}
    assert _refusal(raw) == (
        "my.yaml: bootstrap: this key is gone: intervals are computed, and their confidence is "
        "analysis.confidence"
    )


def test_missing_key() -> None:
    raw = _demo()
    del raw["datasets"]["slices"]
    del raw["seed"]
    assert _refusal(raw) == "my.yaml: seed: required, but missing"


def test_every_mistake_has_a_line() -> None:
    raw = _demo()
    raw["seeed"] = raw.pop("seed")
    raw["factor"]["levels"] = ["GE"]
    lines = _refusal(raw).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["seed", "factor.levels", "seeed"]


def _arm(raw: Any, short: list[str] | None = None, **arm: Any) -> None:
    """Give the sphere experiment one more arm, and other training sets in short."""
    raw["experiments"][1].setdefault("arms", []).append(arm)
    if short is not None:
        raw["experiments"][1]["training_sets"] = short


def _cohort(raw: Any, name: str, **changes: Any) -> None:
    """Add a cohort like the study."""
    raw["cohorts"][name] = {**raw["cohorts"]["study"], **changes}


def _derived(other: str) -> dict[str, Any]:
    return {"from": other, "shuffle": "factor", "role": "null-control"}


def _phantom(raw: Any, **changes: Any) -> None:
    raw["cohorts"]["study"]["phantom"].update(changes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda raw: raw["experiments"][0].update(cohorts=["elsewhere"]), "'elsewhere' is not one of"),
        (lambda raw: raw["experiments"][1].update(training_sets=["Philips"]), "'Philips' is not one of"),
        (
            lambda raw: raw["cohorts"]["study"].update(folder="x"),
            "exactly one of 'source', 'phantom' and 'folder'",
        ),
        (
            lambda raw: raw["cohorts"]["study"].update(split={"train": 0.5, "val": 0.1, "test": 0.1}),
            "must be 1",
        ),
        (lambda raw: raw["datasets"]["spheres"]["difficulties"][1].update(start="hard"), "no earlier one"),
        (lambda raw: raw["datasets"]["spheres"]["difficulties"][0].update(radius_mm=[9, 3]), "low <= high"),
        (lambda raw: raw["experiments"][1]["rounds"].update(keep=99), "keep <= target <= limit"),
        (lambda raw: raw["experiments"][1].update(convergence={}), "needs an entry 'default'"),
        (lambda raw: raw.update(name="../evil"), "name: "),
        (lambda raw: raw["factor"].update(levels=["GE", "GE"]), "expected different names"),
        (lambda raw: raw["datasets"]["spheres"]["difficulties"][2].update(name="skull"), "another dataset"),
        (lambda raw: raw["experiments"][1].update(training_sets=["GE", "GE"]), "have the same name: 'GE'"),
        (lambda raw: raw["experiments"][1]["convergence"].update(esay={}), "'esay' is not one of"),
        (
            lambda raw: raw["experiments"][1].update(expected_convergence={"mixed": 1.0}),
            "'mixed' is not one of",
        ),
        (
            lambda raw: raw["cohorts"]["study"].update(manufacturers_csv="x"),
            "needs exams that are not simulated",
        ),
        (lambda raw: raw["cohorts"]["study"]["phantom"].update(exams=3), "3 exams cannot be divided"),
        (lambda raw: raw["cohorts"].update({"a/b": raw["cohorts"]["study"]}), "cohort name 'a/b'"),
        (lambda raw: _arm(raw, name="mixed", short=["GE"]), "'mixed': is a name that training_sets gives"),
        (lambda raw: _arm(raw, name="GE", short=["GE"]), "two training sets have the same name: 'GE'"),
        (lambda raw: (_arm(raw, name="x"), _arm(raw, name="x")), "two training sets have the same name: 'x'"),
        (lambda raw: _arm(raw, name="x", levels=["Philips"]), "levels: 'Philips' is not one of"),
        (lambda raw: _arm(raw, name="x", levels=[]), "experiments[1].arms[0].levels: "),
        (lambda raw: _arm(raw, name=""), "experiments[1].arms[0].name: "),
        (lambda raw: _arm(raw, name="x", exams=1), "expected at least 2 exams, got 1"),
        (lambda raw: _arm(raw, name="x", exams="two-levels"), "experiments[1].arms[0].exams"),
        (lambda raw: raw["experiments"][1].update(choose_on="mine"), "experiments[1].choose_on: "),
        (lambda raw: raw["experiments"][1]["rounds"].update(keep="most"), "experiments[1].rounds.keep"),
        (lambda raw: raw["experiments"][1]["rounds"].update(keep=0), "1 <= keep <= target <= limit"),
        (lambda raw: raw.update(analysis={"margin": {"auroc": 0}}), "analysis.margin.auroc: "),
        (lambda raw: raw.update(analysis={"margin": {"dice": -0.01}}), "analysis.margin.dice: "),
        (lambda raw: raw.update(analysis={"confidence": 95}), "analysis.confidence: "),
        (lambda raw: raw.update(analysis={"assumed": {"run_correlation": 1.0}}), "run_correlation: "),
        (lambda raw: _cohort(raw, "idle", role="null-control"), "cohorts.idle: a null control that no exp"),
        (lambda raw: _cohort(raw, "idle", role="positive-control"), "a positive control that no experiment"),
        (
            lambda raw: raw["cohorts"].update(null=_derived("nobody")),
            "cohorts.null.from: 'nobody' is not one",
        ),
        (lambda raw: raw["cohorts"].update(null=_derived("null")), "cohorts.null.from: 'null' is not one of"),
        (
            lambda raw: raw["cohorts"].update(null=_derived("study")),
            "a null control that no experiment names",
        ),
        (
            lambda raw: raw["cohorts"].update(null={**_derived("study"), "shards": 3}),
            "'shards' is taken from cohort 'study' and cannot be given",
        ),
        (
            lambda raw: raw["cohorts"].update(null={"from": "study", "role": "null-control"}),
            "'from' and 'shuffle' belong together",
        ),
        (
            lambda raw: raw["cohorts"].update(null={**_derived("study"), "role": "study"}),
            "is a null control: give it that role",
        ),
        (lambda raw: _phantom(raw, twins=True, manufacturers=["GE"]), "twins: needs two manufacturers or"),
        (lambda raw: _phantom(raw, twins=True, exams=401), "401 exams cannot be divided among 2"),
        (lambda raw: _phantom(raw, manufacturers=["GE", "GE"]), "manufacturers: a name appears twice"),
        (lambda raw: _phantom(raw, effects={"noise": -1}), "cohorts.study.phantom.effects.noise: "),
        (lambda raw: _phantom(raw, effects={"colour": 1}), "effects.colour: unknown key"),
    ],
)
def test_settings_that_make_no_sense_together(change: Any, expected: str) -> None:
    raw = _demo()
    change(raw)
    assert expected in _refusal(raw)


def test_arms_are_those_of_the_short_form_and_then_the_others() -> None:
    raw = _demo()
    del raw["analysis"]["comparisons"]  # they need a training set of each level
    raw["experiments"][1].pop("training_sets")
    short = parse_campaign(yaml.safe_dump(raw), "my.yaml").experiments[1]
    assert [(arm.name, arm.levels, arm.exams) for arm in short.all_arms] == [("mixed", None, None)]
    _arm(raw, name="fewer", exams="one-level")
    only = parse_campaign(yaml.safe_dump(raw), "my.yaml").experiments[1]
    assert [arm.name for arm in only.all_arms] == ["fewer"]
    raw["experiments"][1]["training_sets"] = ["GE", "mixed"]
    _arm(raw, name="both", levels=["Siemens", "GE"])
    _arm(raw, name="few GE", levels=["GE"], exams=20)
    every = parse_campaign(yaml.safe_dump(raw), "my.yaml").experiments[1]
    assert [(arm.name, arm.levels) for arm in every.all_arms] == [
        ("GE", ("GE",)),
        ("mixed", None),
        ("fewer", None),
        ("both", ("Siemens", "GE")),
        ("few GE", ("GE",)),
    ]
    assert every.arm("few GE").exams == 20
    # An advantage is that of networks that know all exams of one level.
    assert [arm.own_level for arm in every.all_arms] == ["GE", None, None, None, None]


@pytest.mark.parametrize(
    ("name", "words"),
    [("sphere", "'sphere' is not one of"), ("manufacturer", "does not train on each level alone")],
)
def test_a_comparison_that_no_experiment_can_make_is_refused(name: str, words: str) -> None:
    raw = _demo()
    raw["analysis"]["comparisons"] = [name]
    with pytest.raises(CampaignError, match=words):
        parse_campaign(yaml.safe_dump(raw), "my.yaml")


def test_the_day_of_a_campaign_is_written_as_a_day() -> None:
    raw = _demo()
    for wrong in ("27 November 2026", "2026-11"):
        raw["stated_on"] = wrong
        with pytest.raises(CampaignError, match="stated_on"):
            parse_campaign(yaml.safe_dump(raw), "my.yaml")


def test_all_runs_count_and_all_validation_exams_unless_the_file_says_otherwise() -> None:
    raw = _demo()
    experiment = raw["experiments"][1]
    experiment["rounds"].pop("keep", None)
    experiment.pop("choose_on", None)
    read = parse_campaign(yaml.safe_dump(raw), "my.yaml").experiments[1]
    assert (read.rounds.keep, read.choose_on) == ("all", "all")
    experiment.update(choose_on="own", rounds={"first": 3, "target": 3, "keep": 2, "limit": 8})
    read = parse_campaign(yaml.safe_dump(raw), "my.yaml").experiments[1]
    assert (read.rounds.keep, read.choose_on) == (2, "own")


def test_a_derived_cohort_has_the_exams_of_the_one_it_comes_from() -> None:
    raw = _demo()
    raw["cohorts"]["null"] = _derived("study")
    raw["experiments"][1]["cohorts"] = ["study", "null"]
    campaign = parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert campaign.exams_of("null") == campaign.cohorts["study"] == campaign.exams_of("study")
    again = parse_campaign(yaml.safe_dump(campaign.model_dump(mode="json")), "dump")
    assert again == campaign


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[1, 2]", "expected a mapping"), ("a: [", "not valid YAML"), ("", "expected a mapping")],
)
def test_files_that_are_no_campaign(text: str, expected: str) -> None:
    with pytest.raises(CampaignError, match=expected):
        parse_campaign(text, "my.yaml")


def test_absent_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="cannot be read: No such file"):
        load_campaign(tmp_path / "none.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(CampaignError, match="not a text file"):
        load_campaign(tmp_path / "binary")


def test_a_campaign_cannot_be_changed() -> None:
    campaign = load_campaign(CAMPAIGNS / "demo.yaml")
    assert isinstance(campaign, Campaign)
    with pytest.raises(Exception, match="frozen"):
        campaign.seed = 1  # type: ignore[misc]


def _with_network(network: Any, experiment: int = 1) -> Any:
    raw = _demo()
    raw["experiments"][experiment]["network"] = network
    return raw


KINDS = "slice-cnn, resnet3d, unet3d, monai, python"
NAN = float("nan")


def _monai(**arguments: Any) -> Any:
    return {"kind": "monai", "name": "UNet", "arguments": arguments}


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"channels": [8]}, f".kind: required, but missing; one of {KINDS}"),
        ({"kind": "vit"}, f".kind: expected one of {KINDS}, got 'vit'"),
        ({"kind": "resnet3d", "channels": [8], "pooling": "average"}, ".pooling: unknown key"),
        ({"kind": "resnet3d"}, ".channels: required, but missing"),
        ({"kind": "resnet3d", "channels": [4, 8], "strides": [1]}, ": strides: expected 2 numbers, one per"),
        ({"kind": "unet3d", "channels": [1, 2, 3]}, ".channels[3]: required, but missing"),
        ({"kind": "monai", "name": "a.b"}, ".name: string should match pattern"),
        (_monai(x=[NAN]), ".arguments: expected finite numbers, got nan"),
        (_monai(pretrained=True), ".arguments: 'pretrained' would load weights from elsewhere"),
        ({"kind": "python", "entry": "../net.py:make"}, ".entry: string should match pattern"),
        ({"kind": "python", "entry": "net:make", "arguments": {"task": 1}}, ".arguments: 'task' is given to"),
        ({"kind": "slice-cnn", "channels": [8]}, ".kind: 'slice-cnn' cannot be given the task 'spheres'"),
    ],
)
def test_a_network_has_the_fields_of_its_kind_and_fits_its_task(network: Any, said: str) -> None:
    assert f"network{said}" in _refusal(_with_network(network)).splitlines()[0]


@pytest.mark.parametrize(
    ("task", "kind"), [("factor", "slice-cnn"), ("spheres", "resnet3d"), ("segmentation", "unet3d")]
)
def test_which_network_fits_which_task(task: TaskName, kind: str) -> None:
    able = [
        kind
        for kind, network in {
            "slice-cnn": SliceCnnSettings(channels=(8,)),
            "resnet3d": ResNet3dSettings(channels=(8,)),
            "unet3d": UNet3dSettings(channels=(1, 2, 3, 4, 5)),
            "monai": MonaiSettings(name="UNet"),
            "python": PythonSettings(entry="a.b:c"),
        }.items()
        if network.fits(TASKS[task])
    ]
    assert able == [kind, "monai", "python"]


def test_arguments_of_a_network_are_json_and_stay_it_in_a_jobs_settings() -> None:
    arguments = {"act": ["relu", {"inplace": True}], "rate": 0.5, "none": None, "deep": [[1], [2, "x"]]}
    network = {"kind": "monai", "name": "UNet", "arguments": arguments}
    learning = parse_campaign(yaml.safe_dump(_with_network(network)), "my.yaml").experiments[1].learning
    assert isinstance(learning.network, MonaiSettings)
    assert learning.network.arguments == arguments
    assert LearningSettings.model_validate_json(learning.model_dump_json()) == learning

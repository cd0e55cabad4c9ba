"""The estimate: runs by the expected rate within their limits, seconds by the work, totals that add up."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.errors import CohortError
from nameplate.plan.estimate import (
    CellEstimate,
    cell_estimates,
    cohort_counts,
    level_exams,
    seconds_estimate,
)
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import plan
from nameplate.plan.summary import plan_summary
from nameplate.steps.cohort import are_twins

PAPER = Path(__file__).parents[3] / "campaigns" / "paper.yaml"


def _campaign(text: str, **changes: Any) -> Campaign:
    """The tiny campaign with other values, by their path with dots as double underscores."""
    raw = yaml.safe_load(text)
    for path, value in changes.items():
        *folders, name = path.split("__")
        place = raw
        for folder in folders:
            place = place[int(folder) if folder.isdigit() else folder]
        place[name] = value
    return parse_campaign(yaml.safe_dump(raw), "tiny")


def _runs(campaign: Campaign) -> dict[str, float]:
    """Expected runs of the sphere experiment by dataset/training set."""
    rows = [row for row in cell_estimates(campaign) if row.cell.experiment == "spheres"]
    return {f"{row.cell.dataset}/{row.cell.training_set}": row.expected for row in rows}


def test_expected_runs_follow_the_rate_of_the_closest_name(tiny_text: str) -> None:
    campaign = _campaign(
        tiny_text,
        experiments__1__rounds={"first": 2, "target": 6, "keep": 1, "limit": 20},
        experiments__1__expected_convergence={"easy/Siemens": 0.5, "easy": 0.75, "default": 0.6},
    )
    assert _runs(campaign) == {
        "easy/mixed": pytest.approx(8),
        "easy/Siemens": pytest.approx(12),
        "hard/mixed": pytest.approx(10),
        "hard/Siemens": pytest.approx(10),
    }


def test_without_a_rate_every_run_is_expected_to_converge(tiny_text: str) -> None:
    campaign = _campaign(
        tiny_text, experiments__1__rounds={"first": 2, "target": 6, "keep": 1, "limit": 20}
    )  # fmt: skip
    assert set(_runs(campaign).values()) == {6.0}


@pytest.mark.parametrize(
    ("rate", "first", "expected"),
    [(0.0, 2, 20), (0.1, 2, 20), (1.0, 9, 9), (0.5, 13, 13), (0.5, 2, 12)],
)
def test_expected_runs_lie_between_the_first_round_and_the_limit(
    rate: float, first: int, expected: float, tiny_text: str
) -> None:
    campaign = _campaign(
        tiny_text,
        experiments__1__rounds={"first": first, "target": 6, "keep": 1, "limit": 20},
        experiments__1__expected_convergence={"default": rate},
    )
    assert list(_runs(campaign).values()) == [pytest.approx(expected)] * 4
    rows = [row for row in cell_estimates(campaign) if row.cell.experiment == "spheres"]
    assert {(row.first, row.limit) for row in rows} == {(first, 20)}


def test_a_run_costs_by_its_epochs_and_its_exams(tiny_text: str) -> None:
    def flop(campaign: Campaign) -> dict[str, float]:
        rows = [row for row in cell_estimates(campaign) if row.cell.experiment == "spheres"]
        return {f"{row.cell.dataset}/{row.cell.training_set}": row.flop_per_run for row in rows}

    own = flop(_campaign(tiny_text, experiments__1__choose_on="own"))
    assert own["easy/mixed"] == pytest.approx(2 * own["easy/Siemens"])  # both levels' exams
    assert own["easy/Siemens"] > 0
    once = flop(_campaign(tiny_text))
    assert once["easy/mixed"] == own["easy/mixed"]
    assert own["easy/Siemens"] < once["easy/Siemens"] < once["easy/mixed"]  # all validation exams
    more = flop(_campaign(tiny_text, experiments__1__training__epochs=6))
    assert more == {cell: pytest.approx(3 * value) for cell, value in once.items()}


def test_what_only_the_data_can_tell_costs_nothing_here(tiny_text: str) -> None:
    cohort = {"folder": "dicom", "shards": 2}
    campaign = _campaign(tiny_text, cohorts__study=cohort)
    assert cohort_counts(campaign, "study") is None
    assert {row.flop_per_run for row in cell_estimates(campaign)} == {0.0}
    assert "match.exams_per_level" in "\n".join(plan_summary(campaign, gpu_tflops=40))


def test_exams_of_a_level_as_the_campaign_says(tiny_text: str) -> None:
    assert level_exams(_campaign(tiny_text), "study") == 26
    matched = _campaign(tiny_text, cohorts__study__match={"exams_per_level": 20})
    assert level_exams(matched, "study") == 20
    three = ["GE", "Siemens", "Philips"]
    shared = _campaign(tiny_text, cohorts__study__phantom__manufacturers=three)
    assert level_exams(shared, "study") == 17
    fewer = _campaign(tiny_text, cohorts__study__match={"exams_per_level": 99})
    assert level_exams(fewer, "study") == 26
    by_model = {"name": "model", "levels": ["GE", "Siemens"]}
    assert level_exams(_campaign(tiny_text, factor=by_model), "study") is None
    groups = {"old": ["^GE$"], "young": ["siemens", "philips"]}
    together = _campaign(
        tiny_text,
        cohorts__study__phantom__manufacturers=three,
        factor={"groups": groups},
        experiments__1__training_sets=["mixed", "old"],
    )
    assert level_exams(together, "study") == 17
    halves = {"a": ["GE", "Canon"], "b": ["Siemens", "Philips"]}
    doubled = _campaign(
        tiny_text,
        cohorts__study__phantom__manufacturers=["GE", "Siemens", "Philips", "Canon"],
        factor={"groups": halves},
        experiments__1__training_sets=["mixed", "a"],
    )
    assert level_exams(doubled, "study") == 26


def test_twins_of_another_factor_may_leave_fewer(tiny_text: str) -> None:
    assert are_twins(_campaign(tiny_text, cohorts__study__phantom__twins=True), "study")
    campaign = _campaign(
        tiny_text,
        cohorts__study__phantom__twins=True,
        cohorts__study__match={"same": ["kernel_class"], "exams_per_level": 20},
        factor={"name": "thickness_mm", "bins": [3]},
        experiments__1__training_sets=["mixed", "below 3 mm"],
    )
    assert not are_twins(campaign, "study")
    assert "per slice thickness" in "\n".join(plan_summary(campaign, gpu_tflops=40))


def test_what_matched_exams_agree_in_is_told(tiny_text: str) -> None:
    by_maker = _campaign(tiny_text, cohorts__study__match={"same": ["kvp", "kernel_class"]})
    printed = "\n".join(plan_summary(by_maker, gpu_tflops=40))
    assert "before matching on age, sex, tube voltage and kernel class, which may leave fewer" in printed


def test_twins_are_counted_as_exams(tiny_text: str) -> None:
    twins = _campaign(tiny_text, cohorts__study__phantom__twins=True, cohorts__study__match={})
    assert level_exams(twins, "study") == 26
    printed = "\n".join(plan_summary(twins, gpu_tflops=40))
    assert "cohort study (study, simulated twins)" in printed
    assert "which may leave fewer" not in printed  # a head's exams agree in age and sex


def test_a_derived_cohort_has_the_numbers_of_the_one_it_comes_from(tiny_text: str) -> None:
    derived = {"from": "study", "shuffle": "factor", "role": "null-control"}
    campaign = _campaign(tiny_text, cohorts__null=derived, experiments__1__cohorts=["study", "null"])
    assert cohort_counts(campaign, "null") == cohort_counts(campaign, "study") is not None
    rows = [row for row in cell_estimates(campaign) if row.cell.experiment == "spheres"]
    study, null = (
        [(row.train_exams, row.flop_per_run) for row in rows if row.cell.cohort == cohort]
        for cohort in ("study", "null")
    )
    assert study == null
    assert "cohort null (null-control, from study, levels shuffled): exams asked for" in plan_summary(
        campaign, gpu_tflops=40
    )
    for job in plan(campaign, {}, {}).jobs:
        assert seconds_estimate(campaign)(job) > 0


def _spheres(campaign: Campaign) -> dict[str, CellEstimate]:
    """The sphere experiment's cells on the easy dataset by training set."""
    rows = cell_estimates(campaign)
    return {row.cell.training_set: row for row in rows if row.cell.dataset == "easy"}


ARMS = [
    {"name": "half", "exams": "one-level"},
    {"name": "ten", "levels": ["GE"], "exams": 10},
    {"name": "both", "levels": ["Siemens", "GE"]},
]


def test_exams_of_every_arm(tiny_text: str) -> None:
    rows = _spheres(_campaign(tiny_text, experiments__1__arms=ARMS))
    # 26 exams of each level, of which 18 train.
    assert {name: row.train_exams for name, row in rows.items()} == {
        "mixed": 36, "Siemens": 18, "half": 18, "ten": 10, "both": 36,
    }  # fmt: skip
    assert rows["half"].flop_per_run == rows["Siemens"].flop_per_run
    assert rows["ten"].flop_per_run < rows["half"].flop_per_run


def test_kept_runs_and_what_they_predict(tiny_text: str) -> None:
    def kept(keep: int | str, rate: float, first: int = 2) -> float:
        rounds = {"first": first, "target": 6, "keep": keep, "limit": 20}
        campaign = _campaign(
            tiny_text,
            experiments__1__rounds=rounds,
            experiments__1__expected_convergence={"default": rate},
        )
        (mixed, _) = _spheres(campaign).values()
        assert mixed.predictions == pytest.approx(mixed.kept * 12)  # 6 test exams of each level
        return mixed.kept

    assert kept("all", 1.0) == kept("all", 0.3) == 6.0
    assert kept("all", 1.0, first=9) == 9.0
    assert kept("all", 0.1) == 2.0  # of the 20 that the limit allows
    assert kept(4, 0.3) == 4.0
    assert kept(4, 0.1) == 2.0


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"exams": 37}, "37 training exams are wanted, cohort study has 36"),
        ({"exams": 19, "levels": ["GE"]}, "19 training exams of GE are wanted, cohort study has 18"),
    ],
)
def test_an_arm_with_more_exams_than_there_are(arm: dict[str, Any], message: str, tiny_text: str) -> None:
    campaign = _campaign(tiny_text, experiments__1__arms=[{"name": "many", **arm}])
    for ask in (cell_estimates, seconds_estimate, lambda campaign: plan_summary(campaign, gpu_tflops=40)):
        with pytest.raises(CohortError) as caught:
            ask(campaign)
        assert str(caught.value) == f"experiments.spheres.arms.many.exams: {message}"
        assert caught.value.exit_code == 2
    enough = {"name": "many", **arm, "exams": arm["exams"] - 1}
    assert cell_estimates(_campaign(tiny_text, experiments__1__arms=[enough]))


def test_an_arm_of_a_cohort_that_only_the_data_can_count_is_not_refused(tiny_text: str) -> None:
    folder = {"folder": "dicom", "shards": 2}
    campaign = _campaign(tiny_text, cohorts__study=folder, experiments__1__arms=[{"name": "x", "exams": 999}])
    assert _spheres(campaign)["x"].train_exams == 0


def _seconds(campaign: Campaign, job: str) -> float:
    return seconds_estimate(campaign)(plan(campaign, {}, {}).job(job))


def test_seconds_of_a_shard_follow_its_exams_and_their_pixels(tiny_text: str) -> None:
    for job in ("phantom/study/000", "ingest/study/000", "skullstrip/study/000", "synthesis/study/easy/000"):
        once = _seconds(_campaign(tiny_text), job)
        assert once > 0
        for change, times in (
            ({"cohorts__study__phantom__exams": 104}, 2),
            ({"cohorts__study__shards": 4}, 0.5),
            ({"cohorts__study__phantom__matrix": 128}, 4),
        ):
            assert _seconds(_campaign(tiny_text, **change), job) == pytest.approx(times * once), (job, change)


def test_seconds_of_a_training_follow_its_operations(tiny_text: str) -> None:
    """Apart from what a process takes to start, by three rows: as many more as there are more epochs."""
    job = "training/spheres/study/easy/Siemens/g0/s000"
    two, four, twelve = (
        _seconds(_campaign(tiny_text, experiments__1__training__epochs=epochs), job) for epochs in (2, 4, 12)
    )
    assert four > two
    assert twelve - four == pytest.approx(4 * (four - two))
    own = _campaign(tiny_text, experiments__1__choose_on="own")
    one_level, mixed = (_seconds(own, job.replace("Siemens", name)) for name in ("Siemens", "mixed"))
    four = _seconds(
        _campaign(tiny_text, experiments__1__choose_on="own", experiments__1__training__epochs=4), job
    )
    assert mixed - one_level == pytest.approx(four - one_level)


def test_seconds_of_a_prediction_follow_the_runs_that_are_kept(tiny_text: str, finished: Any) -> None:
    def seconds(target: int) -> float:
        rounds = {"first": target, "target": target, "limit": target}
        campaign = _campaign(tiny_text, experiments__1__rounds=rounds)
        job = plan(campaign, finished(campaign), {}).job("prediction/spheres/study/easy/mixed/g0")
        return seconds_estimate(campaign)(job)

    two, four, eight = seconds(2), seconds(4), seconds(8)
    assert four > two
    assert eight - four == pytest.approx(2 * (four - two))


def test_seconds_where_the_data_are_not_known_are_those_of_many_large_exams(tiny_text: str) -> None:
    known = _campaign(
        tiny_text, cohorts__study__phantom={"exams": 1000, "matrix": 512}, cohorts__study__shards=4
    )  # fmt: skip
    unknown = _campaign(tiny_text, cohorts__study={"folder": "dicom", "shards": 4})
    assert _seconds(unknown, "ingest/study/000") == _seconds(known, "ingest/study/000")


@pytest.fixture(scope="module", params=["tiny", "paper"])
def printed(request: pytest.FixtureRequest, tiny_text: str) -> tuple[Campaign, list[str]]:
    """A campaign and its summary, on a card so slow that hours have many digits."""
    campaign = parse_campaign(tiny_text, "tiny") if request.param == "tiny" else load_campaign(PAPER)
    return campaign, plan_summary(campaign, gpu_tflops=1e-6)


def _section(lines: list[str], start: str) -> list[list[str]]:
    """The words of each line between the one that starts so and the next empty one."""
    first = next(n for n, line in enumerate(lines) if line.startswith(start))
    rest = lines[first + 1 :]
    return [line.split() for line in rest[: rest.index("") if "" in rest else len(rest)]]


def test_the_trainings_add_up(printed: tuple[Campaign, list[str]]) -> None:
    campaign, lines = printed
    section = _section(lines, "trainings")
    rows = [[float(word) for word in words[1:]] for words in section if words[0].count("/") == 4]
    (together,) = ([float(word) for word in words[1:]] for words in section if words[0] == "all")
    assert len(rows) == len(cell_estimates(campaign))
    assert [row[0] for row in rows] == [row.train_exams for row in cell_estimates(campaign)]
    first, expected, limit, kept, hours = together
    assert first == sum(row[1] for row in rows)
    assert expected == pytest.approx(sum(row[2] for row in rows), abs=len(rows) / 2)
    assert limit == sum(row[3] for row in rows)
    assert kept == pytest.approx(sum(row[4] for row in rows), abs=len(rows) / 2)
    assert hours == pytest.approx(sum(row[6] for row in rows), abs=0.005 * (len(rows) + 1))
    for _, _, runs, _, _, petaflop, each in rows:
        assert each == pytest.approx(runs * petaflop * 1e15 / 1e6 / 3600, rel=0.05, abs=0.006)


def test_the_jobs_add_up(printed: tuple[Campaign, list[str]]) -> None:
    campaign, lines = printed
    jobs = [job.step for job in plan(campaign, {}, {}).jobs]
    rows = {words[0]: int(words[1]) for words in _section(lines, "jobs ")}
    assert rows == {step: jobs.count(step) for step in jobs}
    assert list(rows) == [step.name for step in STEPS if step.name in jobs]


def test_the_splits_add_up(printed: tuple[Campaign, list[str]]) -> None:
    campaign, lines = printed
    names = ("train", "val", "test", "all")
    section = _section(lines, "cohort study")
    rows = {words[0]: [int(word) for word in words[1:]] for words in section if words[0] in names}
    assert list(rows) == list(names)
    *parts, together = rows.values()
    assert together == [sum(column) for column in zip(*parts, strict=True)]
    for total, each, positives, negatives in rows.values():
        assert total == each * len(campaign.factor.levels)
        assert positives + negatives == each


def test_the_bytes_add_up(printed: tuple[Campaign, list[str]]) -> None:
    campaign, lines = printed
    sizes = [
        (words[0], float(re.findall(r"([\d.]+) GB", " ".join(words))[0]))
        for words in _section(lines, "bytes")
    ]
    parts = [size for name, size in sizes if name != "together"]
    assert len(parts) == sum(len(experiment.cohorts) for experiment in campaign.experiments) + 1
    assert dict(sizes)["together"] == pytest.approx(sum(parts), abs=0.005 * (len(parts) + 1))

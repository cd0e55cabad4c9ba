"""Which jobs the step has, and which window its exams are seen through."""

import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.plan.plan import plan
from nameplate.steps import report
from nameplate.steps.fingerprint import FingerprintJob, window_of


def _campaign(tiny_text: str, *windows: tuple[str, str, int]) -> Campaign:
    """The tiny campaign with a second cohort, and experiments of these tasks, cohorts and widths."""
    raw = yaml.safe_load(tiny_text)
    raw["cohorts"]["other"] = raw["cohorts"]["study"]
    models = {experiment["task"]: experiment for experiment in raw["experiments"]}
    raw["experiments"] = [
        {
            **models[task],
            "name": f"x{number}",
            "cohorts": [cohort],
            "input": {"window": {"width": width, "level": 50}, "slices": 3},
        }
        for number, (task, cohort, width) in enumerate(windows)
    ]
    return parse_campaign(yaml.safe_dump(raw), "tiny")


def test_the_window_is_that_of_the_first_experiment_with_spheres(tiny_text: str) -> None:
    both = _campaign(tiny_text, ("factor", "study", 400), ("spheres", "other", 90), ("spheres", "study", 80))
    assert window_of(both, "other").width == 90
    assert window_of(both, "study").width == 80
    one = _campaign(tiny_text, ("factor", "study", 400), ("spheres", "study", 80))
    assert window_of(one, "other").width == 80
    assert window_of(_campaign(tiny_text, ("factor", "study", 400)), "other").width == 400


def test_every_shard_is_one_job_that_reads_images_and_masks(tiny_text: str) -> None:
    made = plan(parse_campaign(tiny_text, "tiny"), {}, {})
    jobs = [job for job in made.jobs if job.step == "fingerprint"]
    assert [job.needs for job in jobs] == [
        (f"ingest/study/{shard}", f"skullstrip/study/{shard}") for shard in ("000", "001")
    ]
    settings = jobs[1].settings
    assert isinstance(settings, FingerprintJob)
    assert (settings.shard, settings.window.width) == (1, 100)
    needed = report.job(parse_campaign(tiny_text, "tiny"), made.jobs).needs
    assert {job.id for job in jobs} <= set(needed)

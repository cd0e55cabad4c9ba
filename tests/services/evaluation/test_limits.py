"""What no result shows."""

from nameplate.campaign.sources import FolderSource
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.limits import limits_of


def test_what_no_campaign_shows_is_named(plant):
    analysis = analyse(plant(own=(2.0,), runs=2))
    lines = limits_of(analysis)
    for words in (
        "real scanners",
        "The manufacturer apart from what comes with it: kernel, dose, protocol, software and site",
        "Other manufacturers",
        "Other lesions, networks or ways of training",
        "Harm to patients",
        "That there is no effect, where none is claimed",
    ):
        assert sum(words in line for line in lines) == 1, words


def test_real_exams_are_not_called_simulated(plant):
    results = plant(own=(2.0,), runs=2, factor={"name": "kernel", "levels": ["H30s", "SOFT"]})
    cohort = results.campaign.cohorts["study"].model_copy(update={"source": FolderSource(path="exams")})
    cohorts = {**results.campaign.cohorts, "study": cohort}
    object.__setattr__(results, "campaign", results.campaign.model_copy(update={"cohorts": cohorts}))
    lines = limits_of(analyse(results))
    assert not any("real scanners" in line for line in lines)
    assert any(line.startswith("The kernel apart from") for line in lines)


def test_another_factor_is_not_said_to_come_with_itself(plant):
    factor = {"name": "kernel", "levels": ["H30s", "SOFT"], "title": "kernel class"}
    lines = limits_of(analyse(plant(own=(2.0,), runs=2, factor=factor)))
    words = "The kernel class apart from what comes with it: manufacturer, dose, protocol, software and site"
    assert any(line.startswith(words) for line in lines)
    assert "Other kernel classes than those compared." in lines

"""Where a campaign departs from the paper."""

from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.factor import FieldLevels
from nameplate_evaluation.departures import departures_of


def rows_of(campaign):
    return {row.setting: row for row in departures_of(campaign)}


def test_smaller_demo_departs_in_size_and_keeps_the_task(complete):
    rows = rows_of(complete.campaign)
    assert rows["spheres: channels"].differs
    assert rows["spheres: channels"].here == "16, 32, 64, 128"
    assert rows["main: exams from"].here == "simulated heads, signature 1"
    assert rows["main: slice distance, mm"].here == "9"
    spheres = [f"spheres, {difficulty}" for difficulty in ("easy", "medium", "hard")]
    for same in (*spheres, "naming: groups", "spheres: dense layer, units"):
        assert not rows[same].differs, rows[same]


def test_how_runs_are_chosen_and_kept_is_a_departure(plant):
    rows = rows_of(plant(own=(2.0,), runs=2).campaign)
    chosen = rows["spheres: runs chosen on validation exams of"]
    assert (chosen.paper, chosen.here, chosen.differs) == ("the own manufacturer", "all levels", True)
    kept = rows["spheres: runs kept"]
    assert (kept.paper, kept.here) == ("6", "all")
    papers = {"first": 10, "target": 6, "keep": 6, "limit": 20}
    rows = rows_of(plant(own=(2.0,), runs=2, choose_on="own", rounds=papers).campaign)
    assert not rows["spheres: runs chosen on validation exams of"].differs
    assert not rows["spheres: runs kept"].differs


def test_controls_and_twins_are_no_part_of_the_paper(plant):
    controls = {"null-control": 0.0, "positive-control": 1.0}
    rows = rows_of(plant(own=(2.0,), runs=2, twins=True, controls=controls).campaign)
    assert rows["study: exams from"].here == "simulated heads, signature 1, twins"
    for role, words in (("null-control", "null control"), ("positive-control", "positive control")):
        row = rows[f"cohort {role}"]
        assert (row.paper, row.here, row.differs) == ("none", words, True)
    assert not any(name.startswith("null-control:") for name in rows)


def test_another_factor_and_more_to_match_are_departures(plant):
    factor = {"name": "kernel", "levels": ["H30s", "SOFT"], "title": "algorithm"}
    campaign = plant(own=(2.0,), runs=2, choose_on="own", factor=factor).campaign
    same = (FieldLevels(name="kvp"), FieldLevels(name="thickness_mm", bins=(3.0,)))
    study = campaign.cohorts["study"].model_copy(update={"match": MatchSettings(sex=False, same=same)})
    rows = rows_of(campaign.model_copy(update={"cohorts": {"study": study}}))
    assert rows["factor and levels"].here == "kernel: H30s, SOFT"
    assert rows["spheres: runs chosen on validation exams of"].here == "the own kernel"
    assert rows["study: matched on"].here == "age, tube voltage, slice thickness"

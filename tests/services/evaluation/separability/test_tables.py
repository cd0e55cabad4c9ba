"""The section's tables, and their CSV."""

import csv
import io

import numpy as np

from nameplate_evaluation.separability import proposal_of, separability_of, tables
from nameplate_evaluation.table import csv_bytes


def rows_of(count=200) -> list[dict]:
    rng = np.random.default_rng(9)
    return [
        {
            "manufacturer": ("GE", "Siemens")[n % 2],
            "kernel": ("STANDARD", "H31s")[n % 2],
            "kernel_class": ("soft", "medium")[int(rng.random() < (0.3, 0.7)[n % 2])],
            "exposure_mas": None if n % 10 == 0 else 200.0 + n % 7,
            "fields": {"ward": "AB"[n // 2 % 2]},
        }
        for n in range(count)
    ]


def read(table) -> list[dict]:
    return list(csv.DictReader(io.StringIO(csv_bytes(table).decode())))


def test_every_field_has_a_row_with_its_figures(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of()), make_campaign())
    confounds, strata, _ = tables([found])
    assert confounds.section == "separability"
    assert len(confounds.rows) == len(found.rows)
    assert strata.rows == ()
    rows = {row["field"]: row for row in read(confounds)}
    kernel = rows["kernel"]
    assert (kernel["after_overlap"], kernel["after_named"], kernel["chance"]) == ("0", "1", "0.5")
    assert float(kernel["after_v"]) > 0.95
    assert kernel["after_difference"] == ""
    dose = rows["exposure, mAs"]
    assert (dose["missing_GE"], dose["missing_Siemens"]) == ("20", "0")
    assert rows["tube voltage, kV"]["verdict"] == "constant"
    assert 0.2 < float(rows["ward"]["detectable"]) < 0.37
    assert rows["tube voltage, kV"]["detectable"] == ""
    assert rows["ward"]["verdict"] == "told apart (overlap 100 %)"


def test_the_sub_cohort_has_a_row_a_field(make_campaign, make_cohort):
    campaign, cohort = make_campaign(), make_cohort(rows_of())
    found = separability_of(cohort, campaign)
    proposal = proposal_of(cohort, campaign, found)
    _, _, table = tables([found], (), [proposal])
    (row,) = read(table)
    assert row["field"] == "kernel class"
    assert float(row["v_now"]) > 0.2
    assert float(row["v_then"]) == 0.0
    assert (int(row["exams_now"]), int(row["exams_then"])) == (100, proposal.then[0])


def test_without_a_cohort_there_are_no_rows():
    assert [table.rows for table in tables([])] == [(), (), ()]


def test_two_cohorts_stand_below_each_other(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of(40)), make_campaign())
    confounds = tables([found, found])[0]
    assert len(confounds.rows) == 2 * len(found.rows)

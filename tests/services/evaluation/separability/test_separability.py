"""A cohort's fields before and after matching."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation.separability import sentences, separability_of, warnings
from nameplate_phantom.scanner import catalogue


def rows_of(count: int = 60, **more) -> list[dict]:
    """Exams of GE and Siemens in turn, two kernels each; the dose differs in part, the thickness not."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(count):
        siemens = number % 2
        rows.append(
            {
                "manufacturer": ("GE", "Siemens")[siemens],
                "model": ("LightSpeed", "Sensation")[siemens],
                "kernel": (("STANDARD", "SOFT"), ("H31s", "J40s"))[siemens][number // 2 % 2],
                "kernel_class": ("soft", "medium")[number // 2 % 2],
                "exposure_mas": float(round(rng.normal(220 + 60 * siemens, 40))),
                "thickness_mm": (5.0, 2.5)[number // 6 % 2],
                **{key: value(number) for key, value in more.items()},
            }
        )
    return rows


def row(found, name):
    return next(one for one in found.rows if one.field.name == name)


def test_names_cannot_be_told_from_the_manufacturer_and_classes_can(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of()), make_campaign())
    for name in ("model", "kernel"):
        one = row(found, name)
        assert (one.kind, one.judged.overlap, one.alone, one.is_nested) == ("cannot be told", 0.0, 1.0, True)
    assert row(found, "kernel_class").kind == "no difference found"
    many = separability_of(make_cohort(rows_of(200)), make_campaign())
    assert row(many, "kernel_class").kind == "told apart"
    assert not row(found, "kernel_class").is_nested
    assert row(found, "exposure_mas").kind == "partly"
    assert row(found, "kvp").kind == "constant"
    assert row(found, "software").judged.unknown == ("GE", "Siemens")
    assert "manufacturer" not in [one.field.name for one in found.rows]


def test_in_the_demos_cohort_model_kernel_and_software_name_the_manufacturer(make_campaign, make_cohort):
    """Its simulated scanners, each with its header."""
    rows = []
    for number in range(96):
        maker = ("GE", "Siemens")[number % 2]
        models = catalogue().of(maker)
        scanner = models[number // 2 % len(models)]
        rows.append(
            {
                "manufacturer": maker,
                "model": scanner.header.model,
                "software": scanner.header.software[0],
                "kernel": scanner.header.soft_kernel[0],
                "kernel_class": "soft",
                "age": 40.0 + number // 2,
            }
        )
    found = separability_of(make_cohort(rows), make_campaign())
    for name in ("model", "software", "kernel"):
        one = row(found, name)
        assert (one.kind, one.alone, one.judged.overlap) == ("cannot be told", 1.0, 0.0)
    told = "the manufacturer cannot be told from scanner model, software version and kernel (overlap 0 %)"
    assert told in sentences(found)[0]
    assert told in warnings(found)[0]


def test_low_overlap_is_found(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of()), make_campaign())
    assert [one.field.name for one in found.low()] == ["model", "kernel"]


def test_naming_alone_by_chance_and_from_the_others(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of()), make_campaign())
    dose = row(found, "exposure_mas")
    assert dose.chance == 0.5
    assert 0.6 < dose.alone < 0.95
    assert dose.others == 1.0
    assert found.together < 0.95
    assert row(found, "kvp").alone is None


def test_before_and_after_differ_where_matching_left_exams_out(make_campaign, make_cohort):
    """Members are exams with a dose of 200 to 300 mAs: they are more alike."""
    rows = rows_of(120)
    inside = [n for n, one in enumerate(rows) if 210 <= one["exposure_mas"] <= 290]
    found = separability_of(make_cohort(rows, members=inside), make_campaign())
    dose = row(found, "exposure_mas")
    assert dose.after.difference < dose.before.difference
    assert sum(found.exams_after) == len(inside) < sum(found.exams_before) == 120
    assert dose.judged is dose.after


def test_where_nobody_is_left_out_nothing_changes(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of()), make_campaign())
    assert all(one.before == one.after and one.alone_before == one.alone for one in found.rows)


def test_without_members_the_exams_before_matching_are_judged(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of(), members=[]), make_campaign())
    assert not found.matched
    assert row(found, "model").kind == "cannot be told"
    assert row(found, "model").after.reason == "no exam"
    assert (row(found, "model").alone, row(found, "model").others, found.together) == (None, None, None)


def test_controls_and_cohorts_without_exams_are_not_judged(make_campaign, make_cohort):
    campaign = make_campaign()
    assert separability_of(make_cohort(rows_of(), name="shuffled"), campaign) is None
    assert separability_of(make_cohort([]), campaign) is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_exams_is_not_judged_and_does_not_fail(make_campaign, make_cohort, count):
    found = separability_of(make_cohort(rows_of(count)), make_campaign())
    assert {one.kind for one in found.rows} <= {"not known", "constant"}


def test_exams_of_other_levels_do_not_count(make_campaign, make_cohort):
    rows = [*rows_of(40), *({"manufacturer": "Philips", "model": "Brilliance"} for _ in range(9))]
    assert separability_of(make_cohort(rows), make_campaign()).exams_before == (20, 20)


def test_the_order_of_exams_does_not_matter(make_campaign, make_cohort):
    cohort = make_cohort(rows_of())
    turned = replace(cohort, exams=cohort.exams[::-1], members=cohort.members[::-1])
    assert separability_of(cohort, make_campaign()) == separability_of(turned, make_campaign())


def test_an_institution_with_one_manufacturer_each_is_nested_by_site(make_campaign, make_cohort):
    cohort = make_cohort(rows_of(institution=lambda n: f"i{n % 2}{n % 3}"))
    site = row(separability_of(cohort, make_campaign()), "institution")
    assert (site.kind, site.one_site, site.nested, site.is_nested) == ("cannot be told", True, "", True)
    shared = make_cohort(rows_of(institution=lambda n: f"i{n % 3}"))
    assert not row(separability_of(shared, make_campaign()), "institution").is_nested


def test_columns_of_the_users_own_and_other_factors(make_campaign, make_cohort):
    """Thickness in bins as the factor; a column that is a number, and one that is not."""
    rows = rows_of(200, fields=lambda n: {"dose index": f"{40 + n % 7}", "ward": "AB"[n // 6 % 2]})
    campaign = make_campaign(factor="{name: thickness_mm, bins: [4.0]}")
    found = separability_of(make_cohort(rows), campaign)
    assert found.factor.levels == ("below 4 mm", "4 mm and more")
    assert row(found, "dose index").field.kind == "number"
    assert row(found, "ward").kind == "cannot be told"
    assert row(found, "manufacturer").kind == "told apart"
    assert "thickness_mm" not in [one.field.name for one in found.rows]


def test_fields_are_judged_together_at_both_stages(make_campaign, make_cohort):
    """More columns that say nothing raise the corrected p-value of the same field, before and after."""
    few, many = (
        separability_of(
            make_cohort(
                rows_of(
                    120, fields=lambda n, count=count: {f"c{m}": f"{n * (m + 2) % 7}" for m in range(count)}
                ),
                members=range(100),
            ),
            make_campaign(),
        )
        for count in (1, 12)
    )
    for name in ("before", "after"):
        first, second = (getattr(row(found, "kernel_class"), name) for found in (few, many))
        assert second.level < first.level
        assert first.adjusted >= first.p
        assert second.detectable > first.detectable


def test_three_levels(make_campaign, make_cohort):
    rows = rows_of(90)
    for number in range(0, 90, 3):
        rows[number] |= {"manufacturer": "Philips", "model": "Brilliance", "kernel": "UB"}
    found = separability_of(make_cohort(rows), make_campaign(("GE", "Siemens", "Philips")))
    assert row(found, "model").kind == "cannot be told"
    assert len(found.exams_after) == 3

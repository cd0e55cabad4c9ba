"""What an audit says of tables whose gaps are known."""

import json

import pytest
from drawn_scores import drawn_rows

from nameplate.errors import UserError
from nameplate_evaluation.audit.answer import answers_of
from nameplate_evaluation.audit.assembly import Reading, assembled
from nameplate_evaluation.audit.audit import audited
from nameplate_evaluation.audit.cautions import cautions_of as warnings_of
from nameplate_evaluation.audit.files import files_of
from nameplate_evaluation.audit.raw_table import RawTable
from nameplate_evaluation.audit.screen import screen_of
from nameplate_evaluation.audit.settings import AuditSettings


def read(rows, **reading):
    columns = {name: [str(row.get(name, "")) for row in rows] for name in rows[0]}
    return assembled(
        [RawTable(name="scores.csv", columns=columns)],
        None,
        Reading(roles=reading.pop("roles", {}), **reading),
    )


def audit_of(rows, settings=None, **reading):
    return audited(read(rows, **reading)[0], settings or AuditSettings())


def test_a_gap_is_found_and_named_by_its_levels():
    audit = audit_of(drawn_rows(800, gap=1.0))
    (answer,) = answers_of(audit)
    assert answer.verdict == "gap"
    assert "does better on" in answer.sentence
    assert "than on Siemens" in answer.sentence
    gap = next(g for g in audit.networks[0].main_gaps if {g.first, g.second} == {"GE", "Siemens"})
    assert gap.p_holm == pytest.approx(3 * gap.estimate.p) or gap.p_holm <= 3 * gap.estimate.p
    assert [g.metric for g in audit.networks[0].main_gaps] == ["auroc"] * 3


def test_no_gap_is_claimed_where_there_is_none_and_the_power_is_said():
    (answer,) = answers_of(audit_of(drawn_rows(300, seed=5)))
    assert answer.verdict == "not shown"
    assert "would have been found in four audits of five" in answer.sentence


def test_a_wide_margin_holds_and_a_narrow_one_does_not():
    rows = drawn_rows(1500, seed=5)
    assert answers_of(audit_of(rows, AuditSettings(margin=0.2)))[0].verdict == "within the margin"
    assert answers_of(audit_of(rows, AuditSettings(margin=0.001)))[0].verdict == "not shown"


def test_several_runs_are_one_network_and_several_networks_are_judged_each():
    audit = audit_of(drawn_rows(300, runs=3))
    assert audit.networks[0].network.runs == ("0", "1", "2")
    assert audit.networks[0].whole.values["auroc"].models == 3
    assert "trained again" in dict(answers_of(audit)[0].rests_on)["Runs"]
    rows = [row | {"network": f"n{row.pop('run')}"} for row in drawn_rows(300, runs=2)]
    found = answers_of(audit_of(rows))
    assert [one.network for one in found] == ["n0", "n1"]
    assert all(one.sentence.startswith(f"{one.network}: ") for one in found)
    assert "6 comparisons" in dict(found[0].rests_on)["Multiplicity"]


def test_a_column_that_goes_with_the_factor_is_warned_of_and_held_fixed():
    audit = audit_of(drawn_rows(900, gap=1.0))
    kernel = next(row for row in audit.company.rows if row.field.name == "kernel_class")
    assert kernel.kind == "partly"
    assert {within.column.title for within in audit.networks[0].within} == {"kernel class"}
    assert any(word == "Within kernel class" for word, _ in answers_of(audit)[0].rests_on)
    own = [
        row | {"kernel_class": {"GE": "a", "Siemens": "b", "Philips": "c"}[row["manufacturer"]]}
        for row in drawn_rows(300)
    ]
    assert any("cannot be told from kernel class" in line for line in warnings_of(audit_of(own)))


def test_a_gap_that_is_the_kernels_vanishes_within_kernels():
    rows = drawn_rows(3000, seed=2)
    for row in rows:
        if row["kernel_class"] == "sharp" and row["label"]:
            row["score"] *= 0.35
    audit = audit_of(rows)
    pair = {"GE", "Siemens"}
    gap = next(g for g in audit.networks[0].main_gaps if {g.first, g.second} == pair)
    assert abs(gap.estimate.mean) > 0.08
    assert gap.p_holm < 0.01
    within = next(w for w in audit.networks[0].within if {w.first, w.second} == pair)
    assert within.gap.holds(0.0)
    assert abs(within.gap.mean) < 0.05
    assert any(line.startswith("Among exams with the same kernel class, ") for line in warnings_of(audit))
    assert not any("Among exams" in line for line in warnings_of(audit_of(drawn_rows(900, gap=1.0))))


def test_what_is_missing_is_warned_of():
    rows = [{key: row[key] for key in ("exam", "label", "score", "manufacturer")} for row in drawn_rows(200)]
    lines = warnings_of(audit_of(rows))
    assert any("no column beside the manufacturer" in line for line in lines)
    assert any("no column of patients" in line for line in lines)
    lines = warnings_of(audit_of(drawn_rows(200), AuditSettings(threshold=1.5)))
    assert any("very exam is negative: it lies beside the scores" in line for line in lines)
    logits = [row | {"score": 10 * row["score"] - 5} for row in drawn_rows(200)]
    audit = audit_of(logits)
    assert any("no probabilities" in line for line in warnings_of(audit))
    assert "slope" not in audit.networks[0].whole.values
    assert "sensitivity" not in audit.networks[0].whole.values
    assert "sensitivity_chosen" in audit.networks[0].whole.values


def test_a_backward_score_and_a_factor_in_the_manufacturers_place_are_warned_of():
    backward = [row | {"score": 1 - row["score"]} for row in drawn_rows(200)]
    assert any("the wrong way round" in line for line in warnings_of(audit_of(backward)))
    same = [row | {"manufacturer": "GE"} for row in drawn_rows(300)]
    lines = warnings_of(audit_of(same))
    assert any(
        line.startswith("The answer is about the kernel class: by the manufacturer nothing") for line in lines
    )
    assert not any(
        "the answer is about" in line for line in warnings_of(audit_of(same, AuditSettings(factor="age")))
    )


def test_levels_that_are_not_compared_are_in_the_sentence():
    rows = drawn_rows(2000, seed=5)
    for place, row in enumerate(rows):
        row["hospital"] = f"H{place // 2 % 20:02d}"
    (answer,) = answers_of(audit_of(rows, AuditSettings(factor="hospital", margin=0.6)))
    assert answer.verdict == "within the margin"
    assert answer.sentence.startswith("Gaps between the hospitals that are compared are within")
    assert answer.sentence.endswith("Not compared: 8 further hospitals (800 exams).")
    blind = [row for row in drawn_rows(900) if row["manufacturer"] != "Philips" or not row["label"]]
    assert answers_of(audit_of(blind))[0].sentence.endswith("Not compared: Philips (no positive).")


def test_beyond_the_margin_is_claimed_for_all_comparisons_together():
    claimed = 0
    for seed in range(40):
        (answer,) = answers_of(audit_of(drawn_rows(400, seed=seed, gap=0.3), AuditSettings(margin=0.09)))
        claimed += "All of the interval is beyond" in answer.sentence
    assert claimed <= 4  # the true gap in AUROC is about 0.06


def test_scores_of_two_values_have_no_second_threshold():
    rows = [row | {"score": round(row["score"])} for row in drawn_rows(200)]
    audit = audit_of(rows)
    assert audit.networks[0].chosen is None
    assert any("the scores have two values" in line.lower() for line in warnings_of(audit))


def test_a_gap_that_all_exams_together_hide_is_said():
    rows = drawn_rows(3000, seed=3)
    for place, row in enumerate(rows):
        siemens = row["manufacturer"] == "Siemens"
        sharp = place * 7919 % 10 >= (8 if siemens else 3)
        row["kernel_class"] = "sharp" if sharp else "soft"
        if row["label"]:
            row["score"] *= (0.5 if sharp else 1.0) * (0.75 if siemens else 1.0)
    lines = warnings_of(audit_of(rows))
    assert any("which all exams together hide" in line for line in lines)


def test_a_gap_that_chance_makes_among_many_is_said_to_be_that():
    found = [answers_of(audit_of(drawn_rows(240, seed=seed)))[0] for seed in range(40)]
    alone = [one for one in found if one.verdict == "not shown" and "Looked at alone" in one.sentence]
    assert 0 < len(alone) < 12


def test_a_level_without_positives_has_a_reason_in_its_row():
    rows = [row for row in drawn_rows(400) if row["manufacturer"] != "Philips" or not row["label"]]
    audit = audit_of(rows)
    philips = next(of for of in audit.networks[0].main.of_level if of.level == "Philips")
    assert philips.values["auroc"] == "no positive"
    assert philips.values["specificity"].mean > 0
    assert "no positive" in screen_of(audit, read(rows)[1], "scores.csv")
    only = [row for row in rows if row["manufacturer"] != "Siemens"]
    (answer,) = answers_of(audit_of(only))
    assert answer.verdict == "nothing to compare"
    assert "no positive" in answer.sentence


def test_dice_has_its_own_margin_and_no_threshold():
    audit = audit_of(drawn_rows(400, gap=0.5, dice=True))
    assert (audit.metric, audit.margin) == ("dice", 0.02)
    (answer,) = answers_of(audit)
    assert answer.verdict == "gap"
    assert "than on Siemens: Dice" in answer.sentence
    assert "index.html" in files_of(audit, read(drawn_rows(400, gap=0.5, dice=True))[1], "scores.csv")


def test_the_factor_can_be_any_column_and_a_wrong_one_says_which_there_are():
    audit = audit_of(drawn_rows(300), AuditSettings(factor="age"))
    assert audit.factor.names[0] == "below 40 years"
    with pytest.raises(
        UserError, match=r"--factor kernal: no such column; there are manufacturer, kernel_class"
    ):
        audit_of(drawn_rows(300), AuditSettings(factor="kernal"))
    same = [row | {"manufacturer": "GE"} for row in drawn_rows(60)]
    with pytest.raises(UserError, match="cannot be compared by, all exams have the same value"):
        audit_of(same, AuditSettings(factor="manufacturer"))
    bare = [{key: row[key] for key in ("exam", "label", "score")} for row in drawn_rows(60)]
    with pytest.raises(UserError, match="no column to compare by"):
        audit_of(bare)


def test_a_threshold_is_chosen_on_validation_exams_where_there_are_some():
    rows = drawn_rows(400)
    flat = audit_of(rows).networks[0]
    assert flat.whole.values["specificity_chosen"].mean == pytest.approx(0.9, abs=0.01)
    split = [row | {"split": "val" if place % 2 else "test"} for place, row in enumerate(rows)]
    found = audit_of(split)
    assert found.table.chosen_on is not None
    assert found.networks[0].chosen != flat.chosen


def test_the_same_table_gives_the_same_bytes_in_any_order_of_its_rows():
    rows = drawn_rows(250, gap=0.5)
    (table, roles), (back, _) = read(rows), read(rows[::-1])
    one, other = (files_of(audited(t, AuditSettings()), roles, "scores.csv") for t in (table, back))
    assert one == other
    found = json.loads(one["audit.json"])
    assert found["factor"] == "manufacturer"
    assert found["networks"][0]["verdict"] in ("gap", "not shown")
    assert b"p0001" not in b"".join(one.values())
    assert b"e0001" not in b"".join(one.values())


def test_many_patients_are_drawn_for_what_goes_with_the_factor():
    audit = audit_of(drawn_rows(7000))
    assert audit.company.drawn
    assert audit.company.exams == 6000
    assert "drawn by chance" in files_of(audit, read(drawn_rows(60))[1], "scores.csv")["index.html"].decode()

"""The model card says what the report says."""

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.evidence.model_card import model_card
from nameplate_evaluation.limits import limits_of


def test_the_card_has_the_answer_the_data_and_the_limits(complete, report):
    card = report["evidence/model-card.md"].decode()
    analysis = analyse(complete)
    for line in limits_of(analysis):
        assert line in card.replace("\\", "")
    for cohort in complete.cohorts:
        for level in analysis.levels:
            exams = [member for member in cohort.members if member.level == level]
            assert f"{level}: {len(exams)} exams" in card
    for experiment in complete.campaign.experiments:
        kept = sum(len(c.selection.kept) for c in complete.cells if c.cell.experiment == experiment.name)
        assert f"{kept} of" in next(
            line for line in card.splitlines() if line.startswith(f"- {experiment.name}:")
        )
    assert "Not for patients" in card


def test_texts_of_a_campaign_stay_text(ask, plant):
    asked = ask(plant(own=(0.5,), runs=2))
    analysis = asked.analysis
    campaign = analysis.campaign.model_copy(update={"name": "x](http://a) <script>"})
    object.__setattr__(analysis.results, "campaign", campaign)
    card = model_card(analysis, asked.answer, (), ()).decode()
    assert "x\\](http" in card
    assert "\\<script\\>" in card

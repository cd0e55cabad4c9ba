"""The guidelines' items: complete, each with a place or a reason, and only places that a report has."""

import re

import pytest

from nameplate_evaluation.evidence.guidelines import Item, Places, answers, guidelines
from nameplate_evaluation.page import ALWAYS

ITEMS = {"claim": 44, "metrics": 30}
"""As many as their authors count."""


def test_every_item_is_there_once():
    for guideline in guidelines():
        names = [item.id for item in guideline.items]
        assert len(set(names)) == len(names)
        assert len(names) == ITEMS.get(guideline.name, len(names))
        assert guideline.source.startswith("https://")
    assert {int(re.sub(r"\D", "", item.id)) for item in by_name("tripod-ai").items} == set(range(1, 28))


def by_name(name):
    return next(one for one in guidelines() if one.name == name)


def test_an_item_needs_a_place_or_a_reason():
    with pytest.raises(ValueError, match="either"):
        Item(id="1", asks="x")
    with pytest.raises(ValueError, match="either"):
        Item(id="1", asks="x", where=("#runs",), missing="y")


def test_an_item_counts_only_with_all_of_its_places():
    places = Places(sections={"effect"}, tables=["table-a-gaps", "table-5-spheres-mixed"], files=["a.csv"])
    assert places.address("#effect") == ("#effect", "effect")
    assert places.address("table:gaps") == ("#table-a-gaps", "table A")
    assert places.address("table:spheres-mixed") == ("#table-5-spheres-mixed", "table 5")
    assert places.address("table:mixed") is None
    assert places.address("file:a.csv") == ("a.csv", "a.csv")
    assert places.address("file:b.csv") is None
    found = {one.item.id: one for one in answers(by_name("fda"), places)}
    assert found["X.A subgroups"].answered
    assert not found["X.A uncertainty"].answered
    assert "table own-advantage" in found["X.A uncertainty"].why_not
    assert not found["XII"].answered
    assert found["XII"].why_not == "a matter of the product that carries a model"


def test_a_whole_report_has_every_place_that_an_item_names(report):
    page = report["index.html"].decode()
    later = {"fingerprint", "separability"}  # made-up results have no measures
    for guideline in guidelines():
        for item in guideline.items:
            for where in item.where:
                kind, _, name = where.partition(":")
                if where.startswith("#") and where[1:] not in later:
                    assert f'id="{where[1:]}"' in page, (guideline.name, item.id, where)
                elif kind == "file" and not name.startswith("fingerprint/"):
                    assert name in report, (guideline.name, item.id, where)
                elif kind == "table" and name != "stated-sizes":  # only where sizes were stated
                    assert any(re.fullmatch(rf"tables/table-[a-z0-9]+-{name}\.csv", file) for file in report)
    for section in ALWAYS:
        assert f'id="{section}"' in page

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


def test_what_no_report_of_ours_holds_is_not_answered(report):
    """Items of which a section with a related name must not count as the answer."""
    whole = Places(
        sections=re.findall(r'id="([a-z-]+)"', report["index.html"].decode()),
        tables=[name.split("/")[1].removesuffix(".csv") for name in report if name.startswith("tables/")],
        files=[*report, "fingerprint/measures.csv"],
    )
    for name, items in {
        "fda": {"VI", "VIII sources", "X.A sizes", "X.A repeatability", "XI", "XIII"},
        "claim": {"7", "15", "31", "33", "34", "36", "43"},
        "metrics": {"2", "4", "9", "12", "25", "27", "29"},
        "tripod-ai": {"5a", "6a", "10", "14", "18d", "18f", "20c", "22"},
    }.items():
        found = {one.item.id: one for one in answers(by_name(name), whole)}
        assert not any(found[item].answered for item in items)
        assert any(one.answered for one in found.values())


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


def test_of_lesions_that_are_the_users_own_none_is_called_synthetic() -> None:
    planted = Places(sections=["spheres"], tables=[], files=[])
    own = Places(sections=["masks"], tables=[], files=[], synthetic=False)

    def told(places: Places) -> str:
        found = [one for guideline in guidelines() for one in answers(guideline, places)]
        return " ".join(f"{one.item.note} {one.why_not}" for one in found)

    assert "synthetic" in told(planted)
    assert "synthetic" not in told(own)
    assert own.address("#spheres") == ("#masks", "masks")
    assert planted.address("#spheres") == ("#spheres", "spheres")

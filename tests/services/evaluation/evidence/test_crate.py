"""The report as an RO-Crate, read by the reference library."""

import hashlib
import json

from rocrate.rocrate import ROCrate

from nameplate_evaluation.evidence.crate import METADATA, crate


def written(report, folder):
    for name, data in report.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return ROCrate(folder)


def test_the_library_finds_every_file_of_the_report(report, complete, tmp_path):
    found = written(report, tmp_path)
    held = {entity.id for entity in found.data_entities}
    assert held == set(report) - {METADATA}
    assert found.name == complete.campaign.title
    page = found.dereference("metrics.json")
    assert page["sha256"] == hashlib.sha256(report["metrics.json"]).hexdigest()
    action = found.dereference("#campaign")
    assert action.type == "CreateAction"
    assert action["instrument"].id == "#nameplate"
    assert {entity.id for entity in action["result"]} == held


def test_every_reference_is_described(report):
    graph = json.loads(report[METADATA])["@graph"]
    ids = [entity["@id"] for entity in graph]
    assert len(set(ids)) == len(ids)

    def references(value):
        if isinstance(value, dict):
            if set(value) == {"@id"}:
                yield value["@id"]
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    named = {one for entity in graph for key in entity.keys() - {"@id"} for one in references(entity[key])}
    assert named <= {*ids, "https://w3id.org/ro/crate/1.1"}
    assert set(report) - {METADATA} <= named


def test_the_day_is_the_campaigns_own(complete):
    def root(campaign):
        graph = json.loads(crate(campaign, {"nameplate": "1"}, {"a.html": b"x"}))["@graph"]
        return next(entity for entity in graph if entity["@id"] == "./")

    assert "datePublished" not in root(complete.campaign.model_copy(update={"stated_on": None}))
    stated = complete.campaign.model_copy(update={"stated_on": "2026-11-27"})
    assert root(stated)["datePublished"] == "2026-11-27"

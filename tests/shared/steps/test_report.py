"""The report's settings: all of a campaign but the places of source files."""

import yaml

from nameplate.campaign import parse_campaign
from nameplate.steps.report import shown


def test_where_source_files_are_is_not_shown_and_decides_nothing(tiny_text: str) -> None:
    raw = yaml.safe_load(tiny_text)
    del raw["cohorts"]["study"]["phantom"]
    texts = set()
    for place in ("/data/hospital-a", "/mnt/other"):
        tables = {"manufacturers_csv": f"{place}/list.csv", "fields_csv": f"{place}/fields.csv"}
        raw["cohorts"]["study"] |= {"folder": place, **tables, "fields": ["site"]}
        campaign = shown(parse_campaign(yaml.safe_dump(raw), "x"))
        assert place not in campaign.model_dump_json()
        texts.add(campaign.model_dump_json())
    assert len(texts) == 1
    simulated = parse_campaign(tiny_text, "x")
    assert shown(simulated) == simulated

"""Folders of DICOM files as sources: what makes an ingest run again."""

import os
from pathlib import Path

import pytest
import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.source import sources_of
from nameplate.errors import CohortError, UserError


@pytest.fixture
def campaign(tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setenv("NAMEPLATE_KEY", "a key for these tests")
    (tmp_path / "dicom" / "deep").mkdir(parents=True)
    (tmp_path / "dicom" / "deep" / "1.dcm").write_bytes(b"one")
    (tmp_path / "makers.csv").write_text("study,manufacturer\nS1,GE\n")
    raw = yaml.safe_load(tiny_text)
    study = raw["cohorts"]["study"]
    del study["phantom"]
    study.update(folder="dicom", manufacturers_csv="makers.csv")
    return parse_campaign(yaml.safe_dump(raw), "tiny.yaml")


def test_files_makers_and_key_decide(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [sources_of(campaign, tmp_path)["study"].digest]
    assert sources_of(campaign, tmp_path)["study"].digest == seen[0]

    def changed() -> bool:
        seen.append(sources_of(campaign, tmp_path)["study"].digest)
        return len(set(seen)) == len(seen)

    (tmp_path / "dicom" / "2.dcm").write_bytes(b"two")
    assert changed()
    os.utime(tmp_path / "dicom" / "2.dcm", (1, 1))
    assert changed()
    (tmp_path / "makers.csv").write_text("study,manufacturer\nS1,Siemens\n")
    assert changed()
    monkeypatch.setenv("NAMEPLATE_KEY", "another key for these tests")
    assert changed()


def test_the_place_of_the_files_is_told_but_decides_nothing(campaign: Campaign, tmp_path: Path) -> None:
    here = sources_of(campaign, tmp_path)["study"]
    assert (here.folder, here.manufacturers_csv) == (tmp_path / "dicom", tmp_path / "makers.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("dicom", "makers.csv"):
        (tmp_path / name).rename(elsewhere / name)
    there = sources_of(campaign, elsewhere)["study"]
    assert there.folder == elsewhere / "dicom"
    assert there.digest == here.digest


def test_a_simulated_cohort_has_no_source(tiny_text: str, tmp_path: Path) -> None:
    assert sources_of(parse_campaign(tiny_text, "tiny.yaml"), tmp_path) == {}


def test_a_derived_cohort_has_no_source_of_its_own(campaign: Campaign, tmp_path: Path) -> None:
    raw = campaign.model_dump(mode="json")
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw["experiments"][0]["cohorts"].append("control")
    controlled = parse_campaign(yaml.safe_dump(raw), "controlled")
    assert sources_of(controlled, tmp_path) == sources_of(campaign, tmp_path)


def test_what_is_not_there(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "makers.csv").unlink()
    with pytest.raises(UserError, match=r"makers\.csv: cannot be read"):
        sources_of(campaign, tmp_path)
    (tmp_path / "dicom" / "deep" / "1.dcm").unlink()
    with pytest.raises(CohortError, match="holds no files"):
        sources_of(campaign, tmp_path)

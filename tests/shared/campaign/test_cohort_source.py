"""Folders of DICOM files as sources: what makes an ingest run again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.cohort_source import digests_of, sources_of
from nameplate.errors import CohortError, UserError


@pytest.fixture
def campaign(tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setenv("NAMEPLATE_KEY", "a key for these tests")
    (tmp_path / "dicom" / "deep").mkdir(parents=True)
    (tmp_path / "dicom" / "deep" / "1.dcm").write_bytes(b"one")
    (tmp_path / "makers.csv").write_text("study,manufacturer\nS1,GE\n")
    (tmp_path / "fields.csv").write_text("study,site\nS1,A\n")
    raw = yaml.safe_load(tiny_text)
    study = raw["cohorts"]["study"]
    del study["phantom"]
    study.update(folder="dicom", manufacturers_csv="makers.csv", fields_csv="fields.csv", fields=["site"])
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
    (tmp_path / "fields.csv").write_text("study,site\nS1,B\n")
    assert changed()
    monkeypatch.setenv("NAMEPLATE_KEY", "another key for these tests")
    assert changed()


def test_masks_decide_too_and_only_nifti_files_are_masks(campaign: Campaign, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    (masks / "deep").mkdir(parents=True)
    study = campaign.cohorts["study"].model_copy(update={"masks": "masks"})
    with_masks = campaign.model_copy(update={"cohorts": {"study": study}})
    (masks / "readme.txt").write_text("no mask")
    with pytest.raises(CohortError, match=r"cohorts\.study\.masks: .*: holds no NIfTI files"):
        digests_of(sources_of(with_masks, tmp_path))
    (masks / "deep" / "S1.NII.gz").write_bytes(b"one")
    source = sources_of(with_masks, tmp_path)["study"]
    assert source.masks == masks
    seen = [sources_of(campaign, tmp_path)["study"].digest, source.digest]
    (masks / "readme.txt").write_text("still no mask")
    assert sources_of(with_masks, tmp_path)["study"].digest == seen[1]
    os.utime(masks / "deep" / "S1.NII.gz", (1, 1))
    seen.append(sources_of(with_masks, tmp_path)["study"].digest)
    (masks / "deep" / "S1.NII.gz").rename(masks / "deep" / "S2.nii")
    seen.append(sources_of(with_masks, tmp_path)["study"].digest)
    assert len(set(seen)) == len(seen)
    masks.rename(tmp_path / "moved")
    with pytest.raises(CohortError, match=r"cohorts\.study\.masks: .*: no such folder"):
        digests_of(sources_of(with_masks, tmp_path))


def test_the_place_of_the_files_is_told_but_decides_nothing(campaign: Campaign, tmp_path: Path) -> None:
    here = sources_of(campaign, tmp_path)["study"]
    assert (here.path("path"), here.manufacturers_csv) == (tmp_path / "dicom", tmp_path / "makers.csv")
    assert here.fields_csv == tmp_path / "fields.csv"
    digest = here.digest
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("dicom", "makers.csv", "fields.csv"):
        (tmp_path / name).rename(elsewhere / name)
    there = sources_of(campaign, elsewhere)["study"]
    assert there.path("path") == elsewhere / "dicom"
    assert there.digest == digest


def test_a_simulated_cohort_has_no_source(tiny_text: str, tmp_path: Path) -> None:
    assert sources_of(parse_campaign(tiny_text, "tiny.yaml"), tmp_path) == {}


def test_a_derived_cohort_has_no_source_of_its_own(campaign: Campaign, tmp_path: Path) -> None:
    raw = campaign.model_dump(mode="json")
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw["experiments"][0]["cohorts"].append("control")
    controlled = parse_campaign(yaml.safe_dump(raw), "controlled")
    assert sources_of(controlled, tmp_path) == sources_of(campaign, tmp_path)


def test_what_moves_from_one_table_to_the_other_is_a_change(campaign: Campaign, tmp_path: Path) -> None:
    before = sources_of(campaign, tmp_path)["study"].digest
    for name, text in (("makers.csv", "study,manufacturer\nS1,GE\nstudy"), ("fields.csv", ",site\nS1,A\n")):
        (tmp_path / name).write_text(text)
    assert sources_of(campaign, tmp_path)["study"].digest != before


def test_what_is_not_there(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "makers.csv").unlink()
    with pytest.raises(UserError, match=r"makers\.csv: cannot be read"):
        digests_of(sources_of(campaign, tmp_path))
    (tmp_path / "makers.csv").write_text("study,manufacturer\n")
    (tmp_path / "fields.csv").unlink()
    with pytest.raises(UserError, match=r"fields\.csv: cannot be read"):
        digests_of(sources_of(campaign, tmp_path))
    (tmp_path / "dicom" / "deep" / "1.dcm").unlink()
    with pytest.raises(CohortError, match="holds no files"):
        digests_of(sources_of(campaign, tmp_path))


@pytest.mark.parametrize("closed", ["dicom", "dicom/deep"])
def test_what_may_not_be_read_is_said(closed: str, campaign: Campaign, tmp_path: Path) -> None:
    program = f"""
import os, sys, yaml
from pathlib import Path
from nameplate.campaign import parse_campaign
from nameplate.campaign.cohort_source import digests_of, sources_of
from nameplate.errors import CohortError
try:
    digests_of(sources_of(parse_campaign(Path(sys.argv[1]).read_text(), "x"), Path({str(tmp_path)!r})))
except CohortError as error:
    print(error)
"""
    (tmp_path / "dicom" / "2.dcm").write_bytes(b"two")
    (tmp_path / "dicom" / "lost+found").mkdir()
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(campaign.model_dump(mode="json")))
    powerless: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv to take that power away")
        powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]
        os.chown(tmp_path / closed, 4711, 4711)
    (tmp_path / "dicom" / "lost+found").chmod(0)

    def said() -> str:
        command = [*powerless, sys.executable, "-c", program, str(tmp_path / "tiny.yaml")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said() == ""
    (tmp_path / closed).chmod(0o750 if powerless else 0)
    try:
        told = said()
    finally:
        (tmp_path / closed).chmod(0o755)
    assert "may not be read by this user" in told
    assert ("1 of its folders" in told) == (closed != "dicom")
    assert "deep" not in told

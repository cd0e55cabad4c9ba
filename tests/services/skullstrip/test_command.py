import json

import numpy as np
import pytest

from nameplate.errors import UserError
from nameplate.image.volume import Volume, read_nifti, write_nifti
from nameplate.service.command import run_command
from nameplate_skullstrip.command import COMMAND
from nameplate_skullstrip.strip import skullstrip


def _run(*words: str) -> int:
    return run_command(COMMAND, "nameplate skullstrip", words)


def test_it_writes_the_mask_and_one_line(head, tmp_path, capsys):
    image, _ = head.simulate_head(head.PLANS["demo 4 mm"])
    source, target = tmp_path / "head.nii.gz", tmp_path / "mask.nii.gz"
    write_nifti(source, image)
    assert _run(str(source), str(target)) == 0
    out = capsys.readouterr().out
    stripped = skullstrip(image)
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found == {"volume_ml": round(stripped.volume_ml, 1), "flags": [], "usable": True}
    mask = read_nifti(target)
    assert np.array_equal(mask.array, stripped.mask.array)
    assert mask.array.dtype == np.uint8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.nii.gz", "mask.nii.gz"]


def test_it_reports_an_unusable_head_as_done(tmp_path, capsys):
    source = tmp_path / "air.nii.gz"
    write_nifti(source, Volume(np.full((20, 20, 10), -1000, np.int16), np.diag([4.0, 4.0, 5.0, 1.0])))
    assert _run(str(source), str(tmp_path / "mask.nii.gz")) == 0
    assert json.loads(capsys.readouterr().out) == {"volume_ml": 0.0, "flags": ["no-brain"], "usable": False}


def test_it_refuses_what_it_cannot_read_or_write(head, tmp_path):
    with pytest.raises(UserError, match="no such file") as caught:
        _run(str(tmp_path / "absent.nii.gz"), str(tmp_path / "mask.nii.gz"))
    assert caught.value.exit_code == 2
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(b"not an image")
    with pytest.raises(UserError, match="not a readable"):
        _run(str(torn), str(tmp_path / "mask.nii.gz"))
    image, _ = head.simulate_head(head.PLANS["demo 4 mm"])
    write_nifti(tmp_path / "head.nii.gz", image)
    with pytest.raises(UserError, match="cannot be written"):
        _run(str(tmp_path / "head.nii.gz"), str(tmp_path / "no" / "mask.nii.gz"))
    with pytest.raises(UserError, match="tissue-low-hu"):
        _run(str(tmp_path / "head.nii.gz"), str(tmp_path / "mask.nii.gz"), "--tissue-low-hu", "300")

"""Nothing that a header, a file's name or a folder's name holds comes out, whatever becomes of the study."""

import gzip
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from tests.services.ingest.enhanced_maker import enhanced_dataset
from tests.services.ingest.planted import Secrets, as_text, everything_in, found, plant

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.dicom import tags
from nameplate_ingest.explain import explain
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.sheet import write_sheet
from nameplate_ingest.sources.folder import Folder

KEY = "a key for these tests"
SMALL = IngestSettings(matrix=64)
Series = Callable[..., list[Dataset]]

_TELLS = frozenset(
    (
        *(tags.AGENT, *tags.CONTRAST.values(), tags.MULTIENERGY, tags.FRAMES, tags.LOSSY, tags.RESCALE_TYPE),
        *(tags.BODY_PART, tags.DIAMETER, tags.TEMPORAL_POSITION, tags.TEMPORAL_POSITIONS, tags.CHARSET),
        *(tags.EXPOSURE, tags.EXPOSURE_TIME, tags.CURRENT, tags.AGE, tags.ACQUISITION),
    )
)
"""Elements that decide whether a head is plain, or that leave as numbers."""


class Archive:
    """A folder of studies with secrets, under names that are secrets too."""

    def __init__(self, path: Path, make: Series) -> None:
        self.path = path
        self.secrets = Secrets(1)
        self._make = make
        self._folder = path
        self.fresh_folder()

    def fresh_folder(self) -> Path:
        """A new folder for the files to come."""
        self._folder = self.path / self.secrets.word() / f"{self.secrets.word()} {self.secrets.number()}"
        self._folder.mkdir(parents=True)
        return self._folder

    def study(self, leave: frozenset[int] | None = None, **options: Any) -> list[Dataset]:
        """A head with secrets in what ingest reads; with ``leave``, one slice has them everywhere."""
        secret = self.secrets
        study, series = secret.uid(), secret.uid()
        said = {
            "PatientName": f"{secret.word()}^{secret.word()}",
            "PatientID": secret.word(),
            "PatientBirthDate": secret.date(),
            "InstitutionName": f"{secret.word()} {secret.word()}",
            "StudyDate": secret.date(),
            "AcquisitionTime": secret.time(),
            "StudyDescription": f"{secret.word()} {secret.word()}",
            "SeriesDescription": f"head {secret.word()}",
            "ProtocolName": secret.word(),
            "ManufacturerModelName": f"Emotion 16 {secret.word()}",
            "SoftwareVersions": f"syngo {secret.word()} {secret.number()}",
            "ConvolutionKernel": f"H31s {secret.word()}",
            "FrameOfReferenceUID": secret.uid(),
            "SeriesNumber": secret.number(),
            "StationName": secret.word(),
            "OperatorsName": secret.word(),
        }
        slices = self._make(count=20, gap=7.5, study=study, series=series, **{**said, **options})
        if "SOPInstanceUID" not in options:
            for slice_ in slices:
                slice_.SOPInstanceUID = slice_.file_meta.MediaStorageSOPInstanceUID = secret.uid()
        if leave is not None:
            plant(slices[0], secret, leave)
        return slices

    def add(self, *datasets: Dataset) -> list[Path]:
        """Write files in the current folder."""
        paths = []
        for dataset in datasets:
            dataset.file_meta.SourceApplicationEntityTitle = self.secrets.word()
            dataset.file_meta.PrivateInformationCreatorUID = self.secrets.uid()
            dataset.file_meta.PrivateInformation = self.secrets.word().encode()
            paths.append(self._folder / f"{self.secrets.word()}.{self.secrets.word()}")
            dataset.save_as(paths[-1], enforce_file_format=True)
        return paths


def _accepted(archive: Archive) -> None:
    archive.add(*archive.study(_TELLS))
    slices = archive.study(ImageType=["ORIGINAL", "PRIMARY", "AXIAL", archive.secrets.word().upper()])
    archive.add(plant(enhanced_dataset(slices), archive.secrets, _TELLS))


def _refused(archive: Archive) -> None:
    """One study for every element whose value is a reason, with a value that is a secret."""
    secret = archive.secrets
    archive.add(*archive.study(frozenset((tags.CHARSET,))))
    for name in ("Modality", "SOPClassUID", "PhotometricInterpretation", "Manufacturer", "RescaleType"):
        value = secret.uid() if name == "SOPClassUID" else secret.word().upper()
        archive.fresh_folder()
        archive.add(*archive.study(**{name: value}))
    for name in (
        "ImageType",
        "BodyPartExamined",
        "ContrastBolusAgent",
        "PatientSex",
    ):
        archive.add(*archive.study(**{name: secret.word().upper()}))
    for name in ("SeriesDescription", "StudyDescription", "ProtocolName"):
        archive.add(*archive.study(**{name: f"{secret.word()} abdomen {secret.number()}"}))
    two = archive.study(), archive.study()
    for slice_ in two[1]:
        slice_.StudyInstanceUID, slice_.PatientSex = two[0][0].StudyInstanceUID, "M"
    archive.add(*two[0], *two[1])
    enhanced = enhanced_dataset(archive.study())
    del enhanced.SharedFunctionalGroupsSequence, enhanced.PerFrameFunctionalGroupsSequence
    archive.add(enhanced)


def _broken(archive: Archive) -> None:
    """Cut, damaged and mislabelled files, and what is none."""
    secret = archive.secrets
    slices = archive.study()
    for name, slice_ in zip(
        ("Rows", "BitsStored", "ImagePositionPatient", "PixelSpacing", "RescaleSlope", "StudyInstanceUID"),
        slices,
        strict=False,
    ):
        slice_.pop(name)
        slice_.add_new(name, "LO", secret.word())
    slices[7].StudyInstanceUID = slices[8].SeriesInstanceUID = ""
    paths = archive.add(*slices)
    syntax = b"1.2.840.10008.1.2.1\0"
    other = b"1.2.3.%d.9.9.9\0" % secret.number()
    paths[9].write_bytes(paths[9].read_bytes().replace(syntax, other[: len(syntax)]))
    for place, path in enumerate(paths[10:]):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * (place + 1) // 11])
    for path in archive.add(*archive.study(SpecificCharacterSet="ISO_IR 192", PatientName="\xdc\xf6")):
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", f"{secret.word()}zz".upper().encode()))
    folder = archive.fresh_folder()
    (folder / f"{secret.word()}.txt").write_text(f"{secret.word()} {secret.number()}")
    (folder / secret.word()).write_bytes(b"")
    (folder / secret.word()).write_bytes(zlib.compress(secret.word().encode()))
    (folder / secret.word()).symlink_to(folder / secret.word())
    (folder / secret.word()).symlink_to(paths[0].parent)
    (folder / secret.word()).symlink_to(paths[0])
    os.mkfifo(folder / secret.word())
    name = os.fsencode(folder / secret.word()) + b"\xff\xe9"
    Path(os.fsdecode(name)).write_bytes(paths[1].read_bytes())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    from tests.services.ingest.conftest import head_series

    archive = Archive(tmp_path_factory.mktemp("archive"), head_series)
    for fill in (_accepted, _refused, _broken):
        archive.fresh_folder()
        fill(archive)
    return archive


def test_the_search_finds_what_is_planted(archive: Archive, tmp_path: Path) -> None:
    """Every secret of the archive, in itself; a piece of a word; letters of two bytes; a picture's rows."""
    secrets = archive.secrets
    assert len(secrets.words) > 20_000
    assert len(secrets.numbers) > 5_000
    word, number = secrets.words[5], secrets.numbers[5]
    for text in (f"a{word}b", word[2:7].upper(), f"x/{word[:5]}", number, f"{word}".encode("utf-16")):
        assert found(as_text([text]), secrets)
    assert not found(as_text(["nothing of the kind 20190304", b"\0\1\2"]), secrets)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(word.encode()))
    assert found(everything_in(tmp_path), secrets)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_nothing_comes_out_of_a_run(
    archive: Archive,
    tmp_path: Path,
    workers: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process, and as a command with one process or two."""
    caplog.set_level(0)
    out = tmp_path / "out"
    if not workers:
        summary = ingest_folder(archive.path, out, SMALL, key=KEY.encode(), resumable=True)
        assert summary.exams >= 2
        assert len(summary.refusals) >= 12
        assert "error" not in dict(summary.refusals)
        write_sheet(out)
    else:
        command = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"
        arguments = [str(archive.path), "--out", str(out), "--matrix", "64", "--workers", str(workers)]
        arguments += ["--sheet"] if workers == 1 else []
        done = subprocess.run([sys.executable, "-c", command, *arguments], env=_environment(), check=False)
        assert done.returncode == 0
    printed = capfd.readouterr()
    texts = [*everything_in(out), *as_text([caplog.text, printed.out, printed.err])]
    assert found(texts, archive.secrets) == set()


def test_nothing_comes_out_of_an_explanation(archive: Archive) -> None:
    lines = list(explain(Folder(archive.path), SMALL, key=KEY.encode(), manufacturers={}))
    assert sum("one series is chosen" in line for line in lines) >= 2
    assert found(as_text(lines), archive.secrets) == set()


def test_an_unforeseen_error_tells_nothing(
    archive: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """An error whose text holds everything of the study, in the index and in the conversion."""
    import nameplate_ingest.sources.scan as reading
    import nameplate_ingest.sources.source as conversion

    real, calls = reading.images_of, []

    def broken(path: Path, elements: Any) -> Any:
        calls.append(path)
        if len(calls) % 7 == 0:
            raise ValueError(f"{path} {elements.values}")
        return real(path, elements)

    def fails(slices: Any, *rest: Any) -> Any:
        raise RuntimeError(repr(slices))

    monkeypatch.setattr(reading, "images_of", broken)
    monkeypatch.setattr(conversion, "ingest_study", fails)
    caplog.set_level(0)
    summary = ingest_folder(archive.path, tmp_path / "out", SMALL, key=KEY.encode(), resumable=True)
    assert summary.exams == 0
    assert dict(summary.refusals)["error"] > 10
    printed = capfd.readouterr()
    texts = [*everything_in(tmp_path / "out"), *as_text([caplog.text, printed.out, printed.err])]
    assert found(texts, archive.secrets) == set()


@pytest.mark.parametrize("what", ["out is a file", "out in a file", "an index of the makers", "no head"])
def test_errors_of_the_command_name_only_what_was_typed(archive: Archive, tmp_path: Path, what: str) -> None:
    source, out, more = archive.path, tmp_path / "out", []
    if what == "out is a file":
        out.write_text("")
    elif what == "out in a file":
        (tmp_path / "file").write_text("")
        out = tmp_path / "file" / "out"
    elif what == "an index of the makers":
        table = tmp_path / "makers.csv"
        uid, maker = archive.secrets.uid(), archive.secrets.word()
        table.write_text(f"study,manufacturer\n{uid},{maker}\n{uid},{archive.secrets.word()}\n")
        more = ["--manufacturers", str(table)]
    else:
        source = tmp_path / "source"
        source.mkdir()
        (source / archive.secrets.word()).write_text(archive.secrets.word())
        (source / archive.secrets.word()).symlink_to(archive.secrets.word())
    command = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", command, str(source), "--out", str(out), "--matrix", "64", *more],
        env=_environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr or what == "no head"
    assert found(as_text([done.stdout, done.stderr]), archive.secrets) == set()


def _environment() -> dict[str, str]:
    return {**os.environ, "NAMEPLATE_KEY": KEY}

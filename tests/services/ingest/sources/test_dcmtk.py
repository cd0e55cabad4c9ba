"""Another real PACS, DCMTK's dcmqrscp: it counts no images, and lists what it has in its own way."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_maker import tree
from tests.conftest import free_port
from tests.services.ingest.orthanc import own_network

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import DimseSource, PhantomSettings
from nameplate_ingest.ingest import ingest_source
from nameplate_ingest.sources.dimse import Dimse
from nameplate_ingest.sources.folder import Folder
from nameplate_phantom.simulation import write_cohort

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
CONFIG = """\
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
us = (NAMEPLATE, 127.0.0.1, {ours})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
DCMTK {place} RW (100, 1024mb) ANY
AETable END
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("dcmqrscp") and shutil.which("storescu")), reason="DCMTK is not installed"
    ),
]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_cohort(PhantomSettings(exams=4, matrix=64, thin_mm=5.0), seed=3, cohort="study", out=folder)
    return folder


@pytest.fixture(scope="module")
def ports(studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Where it listens with all studies in it, and where it thinks that we do."""
    port, ours = free_port(), free_port()
    folder = tmp_path_factory.mktemp("dcmqrscp")
    (folder / "place").mkdir()
    (folder / "config").write_text(CONFIG.format(port=port, ours=ours, place=folder / "place"))
    files = [str(path) for path in sorted(studies.rglob("*")) if path.is_file() and path.parent != studies]
    with own_network(), (folder / "log").open("wb") as log:
        server = subprocess.Popen(["dcmqrscp", "-c", str(folder / "config")], stdout=log, stderr=log)
        try:
            send = ["storescu", "-aet", "NAMEPLATE", "-aec", "DCMTK", "127.0.0.1", str(port)]
            for _ in range(100):
                if subprocess.run([*send, files[0]], check=False, capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)
            subprocess.run([*send, *files[1:]], check=True, capture_output=True)
            yield port, ours
        finally:
            server.kill()
            server.wait()


@pytest.mark.parametrize("way", ["get", "move"])
def test_both_ways_give_the_bytes_of_the_folder(
    way: str, ports: tuple[int, int], studies: Path, tmp_path: Path
) -> None:
    port, ours = ports
    settings = DimseSource(
        host="127.0.0.1", port=port, called="DCMTK", receive_port=ours, retrieve=way,  # type: ignore[arg-type]
        since="2010-01-01", until="2026-12-31", window_days=366,
    )  # fmt: skip
    from_pacs = ingest_source(Dimse(settings, 5.0), tmp_path / "pacs", SMALL, key=KEY)
    from_folder = ingest_source(Folder(studies), tmp_path / "folder", SMALL, key=KEY)
    assert from_pacs == from_folder
    assert from_pacs.exams == 4
    assert tree(tmp_path / "pacs") == tree(tmp_path / "folder")

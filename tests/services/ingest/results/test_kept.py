"""Studies of a shard that was interrupted: what is done is not done again, and nothing else is believed."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import FolderSource
from nameplate.errors import TryAgain
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.records import from_jsonl
from nameplate.steps.ingest import SOURCE_REFUSED, IngestJob, LedgerRow
from nameplate.steps.listing import ListingJob
from nameplate.store import Store, open_store
from nameplate_ingest.ingest_step import ingest
from nameplate_ingest.listing_step import listing
from nameplate_ingest.sources.patience import RefusedForNow
from nameplate_ingest.sources.source import Source

SMALL = IngestSettings(matrix=64)


class Shard:
    """A cohort of one shard in a store, and how often each study of it was fetched."""

    def __init__(self, folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NAMEPLATE_KEY", "a key for these tests")
        self.source = CohortSource(
            name="study", settings=FolderSource(path=str(folder.path)), folder=tmp_path
        )
        self.tmp_path = tmp_path
        self.fetched: Counter[str] = Counter()
        self.stop_at: str | None = None
        self.refused: set[str] = set()
        """Studies that the source does not give."""
        self.attempts = 0
        real = Source.ingested

        def counted(source: Source, uid: str, *rest: Any) -> Any:
            self.fetched[uid] += 1
            if uid == self.stop_at:
                raise TryAgain("the process is asked to stop")
            if uid in self.refused:
                raise RefusedForNow("source.url: cannot answer now (500)")
            return real(source, uid, *rest)

        monkeypatch.setattr(Source, "ingested", counted)

    def run(self, store: Store, settings: IngestSettings = SMALL) -> dict[str, bytes]:
        """List and ingest; what was committed."""
        self.attempts += 1
        scratch = self.tmp_path / f"scratch-{self.attempts}"
        scratch.mkdir()
        listed = Outputs("listing/study", store, scratch, lambda: False)
        listing(ListingJob(cohort="study", shards=1, fields=(), source=""), self._inputs(store, {}), listed)
        needs = {"listing/study": Result(job="listing/study", digest="", code="", outputs=listed.written)}
        job = IngestJob(cohort="study", shard=0, shards=1, simulated_seed=None, ingest=settings)
        outputs = Outputs("ingest/study/000", store, scratch, lambda: False)
        ingest(job, self._inputs(store, needs), outputs)
        return {output.key: store.get(output.key) for output in outputs.written}

    def _inputs(self, store: Store, needs: dict[str, Result]) -> Inputs:
        return Inputs(store, needs, self.source, self.tmp_path / "cache")


@pytest.fixture
def shard(folder: Any, make_series: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shard:
    for number in range(4):
        study = f"1.2.3.{number}"
        person = {"study": study, "PatientID": f"PATIENT{number}"}
        folder.add(*make_series(series=f"{study}.1", **person))
        # A series that is refused, and drawn.
        folder.add(*make_series(series=f"{study}.2", ContrastBolusAgent="IV", count=26, **person))
    return Shard(folder, tmp_path, monkeypatch)


def test_an_interrupted_shard_ends_in_the_same_bytes_and_fetches_nothing_twice(
    shard: Shard, tmp_path: Path
) -> None:
    whole = shard.run(open_store(str(tmp_path / "whole")))
    assert sum("images" in key for key in whole) == 4
    assert set(shard.fetched.values()) == {1}
    store = open_store(str(tmp_path / "store"))
    for uid in ("1.2.3.1", "1.2.3.1", "1.2.3.3"):
        shard.stop_at = uid
        with pytest.raises(TryAgain):
            shard.run(store)
    shard.stop_at = None
    shard.fetched.clear()
    assert shard.run(store) == whole
    # What the attempts before did not come to.
    assert sum(shard.fetched.values()) < 4
    shard.fetched.clear()
    assert shard.run(store) == whole
    assert not shard.fetched


@pytest.mark.parametrize("damage", ["image", "kept", "settings", "source"])
def test_what_is_not_as_it_was_is_done_again(shard: Shard, tmp_path: Path, folder: Any, damage: str) -> None:
    store = open_store(str(tmp_path / "store"))
    before = shard.run(store)
    shard.fetched.clear()
    settings, again = SMALL, 1
    if damage == "image":
        image = next(key for key in before if "images" in key)
        store.put(image, b"damaged")
    elif damage == "kept":
        store.put(next(key for key in store.sizes("work/") if "studies" in key), b'{"run": "of older days"}')
    elif damage == "settings":
        settings, again = IngestSettings(matrix=32), 4
    else:
        changed = next(path for path in sorted(folder.path.iterdir()) if b"1.2.3.1.1" in path.read_bytes())
        changed.write_bytes(changed.read_bytes())
    after = shard.run(store, settings)
    assert sum(shard.fetched.values()) == again
    assert (after == before) == (damage != "settings")


def test_what_is_kept_tells_nothing_of_a_patient(shard: Shard, tmp_path: Path, folder: Any) -> None:
    store = open_store(str(tmp_path / "store"))
    shard.run(store)
    kept = [store.get(key) for key in store.sizes("work/") if "studies" in key]
    assert len(kept) == 4
    for secret in (b"Zebulonius", b"PATIENT", b"1.2.3.", b"Nowhere", b"20190304", str(folder.path).encode()):
        assert not any(secret in data for data in kept)


def test_a_study_that_the_source_does_not_give_holds_up_no_other(shard: Shard, tmp_path: Path) -> None:
    whole = shard.run(open_store(str(tmp_path / "whole")))
    store = open_store(str(tmp_path / "store"))
    shard.fetched.clear()
    shard.refused = {"1.2.3.1", "1.2.3.2"}
    with pytest.raises(
        TryAgain, match=r"\(500\): 2 of 4 studies did not come, all others are done; the same"
    ):
        shard.run(store)
    assert shard.fetched == {"1.2.3.0": 1, "1.2.3.1": 2, "1.2.3.2": 2, "1.2.3.3": 1}
    shard.fetched.clear()
    shard.refused = {"1.2.3.2"}
    with pytest.raises(TryAgain, match="1 of 2 studies did not come"):
        shard.run(store)
    assert shard.fetched == {"1.2.3.1": 1, "1.2.3.2": 2}
    shard.refused.clear()
    assert shard.run(store) == whole


def test_a_source_that_gives_none_is_left_alone_and_the_next_attempt_begins_with_other_studies(
    shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nameplate_ingest.order._MOST_IN_A_ROW", 2)
    store = open_store(str(tmp_path / "store"))
    shard.refused = {"1.2.3.0", "1.2.3.1"}
    with pytest.raises(TryAgain, match="2 studies in a row; the same command goes on from here"):
        shard.run(store)
    assert set(shard.fetched) == shard.refused
    with pytest.raises(TryAgain, match="2 of 4 studies did not come"):
        shard.run(store)
    assert shard.fetched == {"1.2.3.0": 3, "1.2.3.1": 3, "1.2.3.2": 1, "1.2.3.3": 1}
    monkeypatch.setattr(Source, "leaves_out", True)
    assert sum("images" in key for key in shard.run(store)) == 2


def test_an_attempt_that_is_refused_what_was_refused_before_makes_no_progress(
    shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    shard.refused = {"1.2.3.1"}
    with pytest.raises(TryAgain):
        shard.run(store)
    noted: list[str] = []
    plain = Outputs.save_kept

    def save(self: Outputs, name: str, data: bytes) -> None:
        noted.append(name)
        plain(self, name, data)

    monkeypatch.setattr(Outputs, "save_kept", save)
    with pytest.raises(TryAgain):
        shard.run(store)
    assert noted == []


def test_a_study_that_is_left_out_is_in_the_ledger_and_asked_for_again(
    shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shard.run(open_store(str(tmp_path / "whole")))
    store = open_store(str(tmp_path / "store"))
    monkeypatch.setattr(Source, "leaves_out", True)
    shard.refused = {"1.2.3.1"}
    (ledger,) = (data for key, data in shard.run(store).items() if "/ledger/" in key)
    (row,) = (row for row in from_jsonl(LedgerRow, ledger) if row.rule == SOURCE_REFUSED)
    assert row.seen == "source.url: cannot answer now (500)"
    shard.fetched.clear()
    shard.refused.clear()
    assert shard.run(store) == whole
    assert shard.fetched == {"1.2.3.1": 1}

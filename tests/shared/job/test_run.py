"""A job is committed or it did not happen: the order of outputs, commit and all that is cleared away."""

import errno
import hashlib
import itertools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import nameplate
from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.sources import FolderSource
from nameplate.errors import StoreError, TryAgain
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Output, Result, job_digest, read_result, result_key, write_result
from nameplate.job.run import default_scratch, run_job
from nameplate.job.timing import Timing
from nameplate.steps.step import Job, JobSettings
from nameplate.store import Store

PHANTOM, INGEST = "phantom/study/000", "ingest/study/000"

Work = Callable[[JobSettings, Inputs, Outputs], None]


@pytest.fixture
def put_in_place(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Work], None]:
    """Put a function in the place of the one that does a step."""

    def put(step: str, work: Work) -> None:
        name = f"nameplate_{step}.{step}_step"
        module = ModuleType(name)
        setattr(module, step, work)
        monkeypatch.setitem(sys.modules, name, module)

    return put


def _writes(data: bytes, key: str = "made/a") -> Work:
    return lambda settings, inputs, outputs: outputs.write(key, data)


def _fails(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
    outputs.write("made/a", b"half")
    raise ValueError("a bug")


def _older(job: str) -> Result:
    return Result(job=job, digest="of other settings", code="0", outputs=())


def test_outputs_are_stored_before_the_commit_that_names_them(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None], tmp_path: Path
) -> None:
    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        assert settings == jobs[PHANTOM].settings
        (outputs.scratch / "file").write_bytes(b"from a file")
        outputs.write_file("made/b", outputs.scratch / "file")
        outputs.write("made/a", b"from memory")
        assert read_result(store, PHANTOM) is None

    put_in_place("phantom", work)
    result = run_job(jobs[PHANTOM], store, {})
    assert result == read_result(store, PHANTOM)
    assert (result.job, result.code) == (PHANTOM, nameplate.__version__)
    assert result.digest == job_digest(jobs[PHANTOM], {})
    stored = {key: store.get(key) for key in ("made/a", "made/b")}
    assert stored == {"made/a": b"from memory", "made/b": b"from a file"}
    assert result.outputs == tuple(
        Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for key, data in stored.items()
    )


def test_an_output_that_cannot_be_stored_leaves_no_commit(
    store: Store,
    jobs: Mapping[str, Job],
    put_in_place: Callable[[str, Work], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in_place("phantom", _writes(b"x"))
    good = store.put

    def put(key: str, data: bytes) -> None:
        if key == "made/a":
            raise StoreError("the store is full")
        good(key, data)

    monkeypatch.setattr(store, "put", put)
    with pytest.raises(StoreError, match="full"):
        run_job(jobs[PHANTOM], store, {})
    assert not store.exists(result_key(PHANTOM))


def test_a_function_that_fails_leaves_no_commit_and_no_older_one(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    put_in_place("phantom", _fails)
    for older in (False, True):
        if older:
            write_result(store, _older(PHANTOM))
        with pytest.raises(ValueError, match="a bug"):
            run_job(jobs[PHANTOM], store, {})
        assert not store.exists(result_key(PHANTOM))


def test_an_older_commit_is_withdrawn_with_the_first_output_and_no_earlier(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    write_result(store, _older(PHANTOM))
    held: list[bool] = []

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        held.append(store.exists(result_key(PHANTOM)))
        outputs.write("made/a", b"new")
        held.append(store.exists(result_key(PHANTOM)))

    put_in_place("phantom", work)
    run_job(jobs[PHANTOM], store, {})
    assert held == [True, False]


def test_where_there_was_no_commit_none_is_deleted(
    store: Store, jobs: Mapping[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another copy of the job may commit at any moment, here just before this one begins to write."""

    class Slow(ModuleType):
        """To find the function takes so long that another copy has committed meanwhile."""

        @property
        def phantom(self) -> Work:
            write_result(store, _older(PHANTOM))
            return _fails

    name = "nameplate_phantom.phantom_step"
    monkeypatch.setitem(sys.modules, name, Slow(name))
    with pytest.raises(ValueError, match="a bug"):
        run_job(jobs[PHANTOM], store, {})
    assert read_result(store, PHANTOM) == _older(PHANTOM)


def test_a_current_job_is_not_done_again_and_one_whose_need_has_changed_is(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    calls: list[tuple[str, ...]] = []

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        calls.append(inputs.keys)
        outputs.write("made/exams", b"exams")

    put_in_place("ingest", work)
    put_in_place("phantom", _writes(b"dicom"))
    first = {PHANTOM: run_job(jobs[PHANTOM], store, {})}
    made = run_job(jobs[INGEST], store, first)
    assert run_job(jobs[INGEST], store, first) == made
    assert calls == [("made/a",)]

    again = Result(job=PHANTOM, digest="other settings", code="0", outputs=first[PHANTOM].outputs)
    assert run_job(jobs[INGEST], store, {PHANTOM: again}) == made  # the same files: nothing new to read
    assert len(calls) == 1

    (output,) = first[PHANTOM].outputs
    other = again.model_copy(update={"outputs": (output.model_copy(update={"sha256": "other"}),)})
    assert run_job(jobs[INGEST], store, {PHANTOM: other}).digest != made.digest
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("number", "raised"), [(errno.ENOSPC, StoreError), (errno.EDQUOT, StoreError), (errno.EIO, OSError)]
)
def test_a_full_disk_is_the_stores_trouble_and_any_other_error_of_the_system_a_bug(
    number: int,
    raised: type[Exception],
    store: Store,
    jobs: Mapping[str, Job],
    put_in_place: Callable[[str, Work], None],
) -> None:
    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        raise OSError(number, "a reason of the system")

    put_in_place("phantom", work)
    with pytest.raises(raised) as caught:
        run_job(jobs[PHANTOM], store, {})
    assert type(caught.value) is raised
    assert (PHANTOM in str(caught.value)) == (raised is StoreError)
    assert not store.exists(result_key(PHANTOM))


@pytest.mark.parametrize("kind", ["store", "far"])
def test_checkpoints_outlive_a_failure_and_go_with_the_commit(
    kind: str,
    request: pytest.FixtureRequest,
    jobs: Mapping[str, Job],
    put_in_place: Callable[[str, Work], None],
) -> None:
    place: Store = request.getfixturevalue(kind)
    found: list[list[str]] = []

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        folder = outputs.load_checkpoints()
        found.append(sorted(path.name for path in folder.iterdir()))
        (folder / f"epoch-{len(found)}").write_bytes(b"state")
        outputs.save_checkpoints(folder)
        if len(found) < 3:
            raise TryAgain("asked to stop")

    put_in_place("phantom", work)
    for _ in range(2):
        with pytest.raises(TryAgain):
            run_job(jobs[PHANTOM], place, {})
    run_job(jobs[PHANTOM], place, {})
    assert found == [[], ["epoch-1"], ["epoch-1", "epoch-2"]]
    assert place.sizes("work/") == {}
    place.put("work/phantom/study/001/epoch-1", b"of another job")
    place.delete(result_key(PHANTOM))
    run_job(jobs[PHANTOM], place, {})
    assert found[3] == []
    assert list(place.sizes("work/")) == ["work/phantom/study/001/epoch-1"]


def test_progress_is_a_checkpoint_or_a_commit(
    far: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    told: list[str] = []

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        assert not told
        outputs.save_checkpoints(outputs.load_checkpoints())
        assert told == ["progress"]

    put_in_place("phantom", work)
    for _ in range(2):  # committed already, the second time
        run_job(jobs[PHANTOM], far, {}, on_progress=lambda: told.append("progress"))
    assert told == ["progress", "progress"]


@pytest.mark.parametrize("fails", [False, True])
def test_scratch_is_where_it_was_asked_for_and_gone_afterwards(
    fails: bool,
    store: Store,
    jobs: Mapping[str, Job],
    put_in_place: Callable[[str, Work], None],
    tmp_path: Path,
) -> None:
    seen: list[Path] = []

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        seen.append(outputs.scratch)
        (outputs.scratch / "folder").mkdir()
        (outputs.scratch / "folder" / "file").write_bytes(b"x")
        if fails:
            raise TryAgain("later")

    put_in_place("phantom", work)
    root = tmp_path / "root"
    root.mkdir()
    try:
        run_job(jobs[PHANTOM], store, {}, scratch_root=root)
    except TryAgain:
        assert fails
    assert [path.parent for path in seen] == [root]
    assert list(root.iterdir()) == []


def test_scratch_lies_beside_a_store_in_a_folder_and_never_counts_as_an_object(
    store: Store, far: Store
) -> None:
    folder = default_scratch(store)
    assert folder is not None
    assert folder.is_dir()
    assert folder.is_relative_to(store.url)
    assert default_scratch(far) is None


def test_the_function_is_given_the_source_and_whether_it_should_stop(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None], tmp_path: Path
) -> None:
    source = CohortSource(name="study", settings=FolderSource(path="dicom"), folder=tmp_path)

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        assert inputs.source is source
        if outputs.should_stop():
            raise TryAgain("stopped")
        outputs.write("made/a", b"x")

    put_in_place("phantom", work)
    with pytest.raises(TryAgain):
        run_job(jobs[PHANTOM], store, {}, source=source, should_stop=lambda: True)
    assert read_result(store, PHANTOM) is None
    run_job(jobs[PHANTOM], store, {}, source=source)
    assert read_result(store, PHANTOM) is not None


def test_import_and_work_are_counted_a_failure_too_and_a_job_that_is_done_costs_neither(
    store: Store,
    jobs: Mapping[str, Job],
    put_in_place: Callable[[str, Work], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)))  # every look is a second later
    monkeypatch.setattr("nameplate.job.timing.time", clock)
    timing = Timing(start_s=10)
    put_in_place("phantom", _fails)
    with pytest.raises(ValueError, match="a bug"):
        run_job(jobs[PHANTOM], store, {}, timing=timing)
    assert (timing.start_s, timing.work_s) == (11, 1)
    put_in_place("phantom", _writes(b"x"))
    for _ in range(2):
        run_job(jobs[PHANTOM], store, {}, timing=timing)
    assert (timing.start_s, timing.work_s) == (12, 2)


def test_what_a_job_tells_is_heard_once_it_is_committed_and_not_again(
    store: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    def tells(job: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        outputs.tell(trained=1, converged=0)

    timing = Timing()
    put_in_place("phantom", tells)
    for _ in range(2):
        run_job(jobs[PHANTOM], store, {}, timing=timing)
    assert timing.told == {"trained": 1, "converged": 0}


def test_a_job_on_a_store_without_folders_is_committed_alike(
    without_folders: Store, jobs: Mapping[str, Job], put_in_place: Callable[[str, Work], None]
) -> None:
    put_in_place("phantom", _writes(b"dicom"))
    done = {PHANTOM: run_job(jobs[PHANTOM], without_folders, {})}

    def work(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        assert without_folders.get(result_key(PHANTOM))
        outputs.write("made/exams", inputs.fetch("made/a").read_bytes() + inputs.read("made/a"))

    put_in_place("ingest", work)
    result = run_job(jobs[INGEST], without_folders, done)
    assert without_folders.get("made/exams") == b"dicomdicom"
    put_in_place("ingest", _fails)
    assert run_job(jobs[INGEST], without_folders, done) == result

"""A file is read once from its start; what ended the reading is known to whoever gave it."""

from pathlib import Path

import pytest

from nameplate.errors import TryAgain
from nameplate_ingest.archive.flow import Flow
from nameplate_ingest.archive.limits import damaged
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.candidate import Candidate, Home


class Some(Flow):
    """Ten bytes, and then an error or nothing."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def read(self, count: int) -> bytes:
        if self.position + count > 10 and self._error is not None:
            raise self._error
        data = b"0123456789"[self.position : self.position + count]
        self.position += len(data)
        return data


def candidate(flow: Flow, size: int = 20) -> Candidate:
    return Candidate(
        Path("/a/b"), size, "", flow, home=Home("a", ""), places=(), section=lambda: None
    )  # fmt: skip


def test_its_start_is_read_once() -> None:
    flow = Some()
    file = candidate(flow, 10)
    assert [file.start(3), file.start(5), file.peek(2), file.start(99)] == [
        b"012",
        b"01234",
        b"01",
        b"0123456789",
    ]
    assert (flow.position, file.failed) == (10, None)


def test_all_of_it_is_there_after_its_start_was_read() -> None:
    file = candidate(Some(), 8)
    file.start(3)
    whole = file.whole()
    assert isinstance(whole, Flow)
    assert [whole.read(5), whole.read(5), whole.read(1)] == [b"01234", b"567", b""]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Refused("rule", "seen"), Refused),
        (damaged("seen"), Refused),
        (TryAgain("later"), OSError),
        (OSError("disk"), OSError),
    ],
)
def test_an_error_is_raised_once_and_kept(error: Exception, raised: type[Exception]) -> None:
    file = candidate(Some(error))
    assert file.start(4) == b"0123"
    with pytest.raises(raised):
        file.start(15)
    assert file.failed is error
    assert (file.start(15), file.peek(2)) == (b"0123", b"01")


def test_a_file_that_ends_before_its_size_is_damaged() -> None:
    file = candidate(Some())
    with pytest.raises(Refused, match="archive-damaged"):
        file.start(15)
    assert isinstance(file.failed, Refused)

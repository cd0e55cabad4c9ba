"""How often in a row a cluster's pod was tried again in vain: counted in the store, beside the checkpoints.

On nodes that may be taken away, a pod that is tried again is no fault as long as each attempt gets further.
A cluster counts attempts alone and cannot see that; so it allows many, and the pod itself says when it is
enough.
"""

import logging

from nameplate.errors import UserError
from nameplate.store import NoSuchKey, Store
from nameplate.store.store import WORK

logger = logging.getLogger(__name__)


class Attempts:
    """The attempts at one chunk of jobs; ``number`` is 0 for the first one, which writes nothing.

    ``retries`` is how many in a row may begin and end without any progress, after that first one.
    """

    def __init__(self, store: Store, chunk: str, *, number: int, retries: int) -> None:
        self._store = store
        self._chunk = chunk
        self._key = f"{WORK}/attempts/{chunk.replace('+', '/')}"
        self._number = number
        self._retries = retries
        self._in_vain = 0

    def begin(self) -> None:
        """Count this attempt as in vain, until ``progress`` is called; UserError when it is one too many."""
        if self._number == 0:
            return
        # What an earlier workflow left behind does not count: its last attempt was another matter.
        before = self._read() if self._number > 1 else 0
        if before >= self._retries:
            raise UserError(
                f"{self._chunk}: no progress in {before} attempts in a row: none of them lived to commit a "
                "job or to save a checkpoint; their logs or `kubectl describe pod` say what ended them, and "
                "submitting again goes on (values: workflow.retries, workflow.gracePeriod)"
            )
        self._write(before + 1)
        logger.info("tried again", extra={"attempt": self._number, "in_vain": before})

    def progress(self) -> None:
        """Note that a job was committed, or a checkpoint saved that was not there before."""
        if self._in_vain:
            self._write(0)

    def end(self) -> None:
        """Forget the count: the chunk is done."""
        if self._number:
            self._store.delete(self._key)

    def _read(self) -> int:
        try:
            return int(self._store.get(self._key))
        except (NoSuchKey, ValueError):
            return 0

    def _write(self, in_vain: int) -> None:
        self._store.put(self._key, b"%d" % in_vain)
        self._in_vain = in_vain

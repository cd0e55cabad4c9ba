"""What it takes to log in to a source: from the environment alone, never from a file of the campaign."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from nameplate.errors import UserError

START = "NAMEPLATE_SOURCE_"
_PEM = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """The variables of one account, by what follows their common start: USERNAME, TOKEN, AUTHORITY..."""

    start: str
    values: Mapping[str, str] = field(repr=False)

    def get(self, name: str) -> str | None:
        """One value; None where it is not given."""
        return self.values.get(name)

    def pair(self, first: str, second: str) -> tuple[str, str] | None:
        """Two values that belong together; UserError where one of them is missing."""
        both = self.get(first), self.get(second)
        if both[0] is not None and both[1] is not None:
            return both[0], both[1]
        if both == (None, None):
            return None
        missing = first if both[0] is None else second
        raise UserError(f"{self.start}{missing} is not set, but its partner is: give both or none")

    @contextmanager
    def certificate(self, name: str) -> Iterator[str | None]:
        """A certificate or key as the path of a file; its value is a path, or the text (PEM) itself.

        None where it is not given. A text is in memory alone while the block lasts, under a path of this
        process: on a disk a key would outlive a process that is killed. Raises UserError for a file that
        cannot be read.
        """
        value = self.get(name)
        if value is None or _PEM not in value:
            if value is not None and not os.access(value, os.R_OK):
                # Without the value: a key in another form than PEM is no path.
                raise UserError(
                    f"{self.start}{name}: holds neither PEM nor the path of a file that can be read"
                )
            yield value
            return
        descriptor = os.memfd_create("certificate")
        try:
            os.write(descriptor, value.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)


def account_of(name: str | None) -> SourceAccount:
    """The account of this name, or the one without a name; empty values count as not given."""
    start = START if name is None else f"{START}{name.upper().replace('-', '_')}_"
    found = {key.removeprefix(start): value for key, value in os.environ.items() if key.startswith(start)}
    return SourceAccount(start, {key: value for key, value in found.items() if value})

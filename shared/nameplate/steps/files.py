"""Keys of stored files: each kind is named once, by the step that writes it."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol

from pydantic import ValidationError

from nameplate.errors import DamagedObject
from nameplate.records import R, from_jsonl, to_json, to_jsonl

_FIELD = re.compile(r"\{([a-z]+)[^}]*\}")


class Reader(Protocol):
    """Anything that committed files can be read from."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of every committed file that may be read."""

    def read(self, key: str) -> bytes:
        """A committed file, checked against its digest."""


class Writer(Protocol):
    """Anything that takes the files of a job."""

    def write(self, key: str, data: bytes) -> None:
        """Store a file; it counts once the job is committed."""


@dataclass(frozen=True)
class File:
    """One kind of stored file; its key has a field in braces for everything that tells two files apart.

    >>> File("cohorts/{cohort}/dicom/{shard:03d}.tar").key(cohort="study", shard=7)
    'cohorts/study/dicom/007.tar'
    """

    template: str

    def key(self, **fields: object) -> str:
        """The key of one file; KeyError for a field that is missing or not one of its fields."""
        self._check(fields)
        return self.template.format(**fields)

    def keys(self, reader: Reader, **fields: object) -> list[str]:
        """The keys of this kind that ``reader`` has, sorted; a field that is not given matches anything."""
        self._check(fields)
        if len(fields) == len(self._names):  # one file: no need to look at every key
            key = self.key(**fields)
            return [key] if key in reader.keys else []
        pattern = self._pattern(**fields)
        return sorted(key for key in reader.keys if pattern.fullmatch(key))

    def _check(self, fields: Collection[str]) -> None:
        """A misspelt field would match everything."""
        if unknown := set(fields) - set(self._names):
            raise KeyError(f"{self.template} has no field {min(unknown)}")

    @property
    def _names(self) -> list[str]:
        return _FIELD.findall(self.template)

    def fields(self, key: str) -> dict[str, str]:
        """The fields of a key of this kind, as text; empty for a key of another kind."""
        match = self._pattern().fullmatch(key)
        return match.groupdict() if match else {}

    def _pattern(self, **fields: object) -> re.Pattern[str]:
        """Matches the keys of this kind whose fields have these values."""
        text, done = "", 0
        for part in _FIELD.finditer(self.template):
            name, form = part[1], part[0]
            value = re.escape(form.format(**fields)) if name in fields else f"(?P<{name}>.+)"
            text += re.escape(self.template[done : part.start()]) + value
            done = part.end()
        return re.compile(text + re.escape(self.template[done:]))


@dataclass(frozen=True)
class Rows(File, Generic[R]):
    """A file of records of one kind, one JSON object per line."""

    kind: type[R]

    def read(self, reader: Reader, **fields: object) -> list[R]:
        """The rows of one file."""
        return from_jsonl(self.kind, reader.read(self.key(**fields)))

    def read_all(self, reader: Reader, **fields: object) -> list[R]:
        """The rows of every file of this kind that ``reader`` has, in order of key."""
        keys = self.keys(reader, **fields)
        return [row for key in keys for row in from_jsonl(self.kind, reader.read(key))]

    def write(self, writer: Writer, rows: Iterable[R], **fields: object) -> None:
        """Store one file; the same rows give the same bytes."""
        writer.write(self.key(**fields), to_jsonl(rows))


@dataclass(frozen=True)
class RecordFile(File, Generic[R]):
    """A file with one record, as readable JSON."""

    kind: type[R]

    def read(self, reader: Reader, **fields: object) -> R:
        """The record."""
        return self._parse(reader, self.key(**fields))

    def read_all(self, reader: Reader, **fields: object) -> Iterator[R]:
        """Every record of this kind that ``reader`` has, in order of key."""
        return (self._parse(reader, key) for key in self.keys(reader, **fields))

    def write(self, writer: Writer, record: R, **fields: object) -> None:
        """Store the record."""
        writer.write(self.key(**fields), to_json(record))

    def _parse(self, reader: Reader, key: str) -> R:
        try:
            return self.kind.model_validate_json(reader.read(key))
        except ValidationError as error:
            raise DamagedObject(f"{key}: not a {self.kind.__name__}: {error.error_count()} errors") from error

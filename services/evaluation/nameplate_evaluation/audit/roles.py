"""What each column of a table of scores is, told from its name or said by the user."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches

from nameplate.errors import UserError

_USUAL: Mapping[str, tuple[str, ...]] = {
    "exam": (
        "exam", "exam_id", "case_name", "case", "case_id", "study", "study_id", "studyinstanceuid",
        "accession", "image", "image_id", "scan", "scan_id", "filename", "file", "id", "uid",
    ),
    "patient": (
        "patient", "patient_id", "patientid", "subject", "subject_id", "person", "person_id", "pid", "mrn",
        "patient_name", "patientname",
    ),
    "label": (
        "label", "truth", "target", "y_true", "ground_truth", "gt", "reference_standard", "diagnosis", "y",
    ),
    "score": (
        "score", "y_score", "probability", "prob", "proba", "y_prob", "ai_score", "output", "prediction",
        "pred", "y_pred", "confidence",
    ),
    "dice": ("dice", "dice_score", "dsc"),
    "run": ("run", "seed", "fold", "replicate", "training_run"),
    "network": ("network", "algorithm", "classifier", "model_name", "ai_model"),
    "threshold": ("threshold", "cutoff", "cut_off", "operating_point"),
    "split": ("split", "subset"),
}  # fmt: skip
"""Names that columns of each kind usually have, the likeliest first."""
_NEEDED = ("exam",)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a table by what they are; None, or nothing, where there is no such column."""

    exam: str = ""
    """One row a run and exam has its name or number."""
    patient: str | None = None
    label: str | None = None
    score: tuple[str, ...] = ()
    """Several are several networks."""
    dice: tuple[str, ...] = ()
    run: str | None = None
    """Trainings of one network."""
    network: str | None = None
    threshold: str | None = None
    split: str | None = None
    told: frozenset[str] = field(default_factory=frozenset)
    """The roles that the user has said; the others are guessed."""

    @property
    def used(self) -> frozenset[str]:
        """All columns that have a role."""
        single = (self.exam, self.patient, self.label, self.run, self.network, self.threshold, self.split)
        return frozenset(name for name in (*single, *self.score, *self.dice) if name)

    @property
    def lines(self) -> list[str]:
        """Each role with its column, for the user to look at."""
        lines = []
        for one in fields(self)[:-1]:
            names = getattr(self, one.name)
            text = ", ".join(names) if isinstance(names, tuple) else names
            if text:
                lines.append(f"{one.name} = {text}" + ("" if one.name in self.told else " (guessed)"))
        return lines


ROLES = tuple(one.name for one in fields(Roles)[:-1])
_SEVERAL = ("score", "dice")


def parse_roles(text: str) -> dict[str, tuple[str, ...]]:
    """What the user says: ``exam=case_name,score=model_a,score=model_b``; an empty column is none.

    Raises UserError for anything else.
    """
    given: dict[str, tuple[str, ...]] = {}
    for part in text.split(","):
        role, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or role not in ROLES:
            raise UserError(
                f"--columns: expected ROLE=COLUMN with a role of {', '.join(ROLES)}, got {part!r}"
            )
        if role in given and role not in _SEVERAL:
            raise UserError(f"--columns: {role} is given twice")
        given[role] = (*given.get(role, ()), *([column] if column else ()))
    return given


def roles_of(header: Sequence[str], given: Mapping[str, tuple[str, ...]], *, where: str = "") -> Roles:
    """The role of each column; what is ``given`` counts, the rest is told from usual names.

    ``where`` is the file's name, for errors. Raises UserError for a column that is not there, and where
    there is no column of exams, or none of scores with labels or Dice.
    """
    plain = {_plain(name): name for name in reversed(header)}
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for role, columns in given.items():
        for column in columns:
            if column not in header:
                raise UserError(f"{where}: no column {column!r}; {_known(column, header)}")
        found[role] = columns
        taken |= set(columns)
    for role, names in _USUAL.items():
        if role in found or (role == "score" and found.get("dice")):
            continue
        match = next((plain[name] for name in names if name in plain and plain[name] not in taken), None)
        if match is not None:
            found[role] = (match,)
            taken.add(match)
    for role in _NEEDED:
        if not found.get(role):
            raise UserError(
                f"{where}: no column of {role}s found; say it with --columns {role}=NAME, there are"
                f" {', '.join(header)}"
            )
    single = {role: columns[0] for role, columns in found.items() if columns and role not in _SEVERAL}
    several = {role: found.get(role, ()) for role in _SEVERAL}
    if several["score"] and several["dice"] and "score" not in given:
        several["score"] = ()
    return Roles(**single, **several, told=frozenset(given))  # type: ignore[arg-type]


def check_complete(roles: Roles, header: Sequence[str], where: str) -> None:
    """Raise UserError where a table has neither scores with labels nor Dice."""
    if roles.dice:
        return
    missing = [role for role in ("label", "score") if not getattr(roles, role)]
    if missing:
        raise UserError(
            f"{where}: no column of {' and none of '.join(f'{role}s' for role in missing)} found; say it with"
            f" --columns {','.join(f'{role}=NAME' for role in missing)}, there are {', '.join(header)}"
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", name.strip()).casefold()


def _known(column: str, header: Sequence[str]) -> str:
    near = get_close_matches(column, header, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(header)}"

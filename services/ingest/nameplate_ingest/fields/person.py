"""Whose images these are: identities, fillers that name nobody, and people who cannot be one (pure)."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

from nameplate_ingest.fields.age import birth_date

YEARS_APART = 1.5
"""Ages of one person within one study differ by less than this."""
FOLLOW_UP_YEARS = 15.0
"""Ages of one person over a whole archive differ by less than this: archives rarely reach further back."""

# Words that say 'nobody', in the languages of headers. A value that consists of nothing else names nobody.
_NOBODY = frozenset(
    (
        *("anonymous", "anonymus", "anonym", "anon", "anonymized", "anonymised", "anonymize", "anonymizer"),
        *("anonymisiert", "anonyme", "anonymise", "anonymisee", "anonimo", "anonima", "anonimizado"),
        *("anonimizada", "anonimizzato", "anonimizzata", "anoniem", "geanonimiseerd", "anonimiseerd"),
        *("deidentified", "deidentify", "deid", "identified", "pseudonymized", "pseudonymised", "pseudonym"),
        *(
            "unknown",
            "unk",
            "unkn",
            "unbekannt",
            "unbekannte",
            "unbekannter",
            "inconnu",
            "inconnue",
            "desconocido",
            "desconocida",
        ),
        *("desconhecido", "desconhecida", "sconosciuto", "sconosciuta", "ignoto", "onbekend", "okand"),
        *("none", "null", "nil", "nan", "na", "nv", "blank", "empty", "leer", "vide", "vacio", "vuoto"),
        *("missing", "removed", "deleted", "redacted", "withheld", "hidden", "masked", "scrubbed", "cleaned"),
        *("undefined", "unspecified", "unassigned", "unnamed", "unidentified", "default", "private"),
        *("test", "tests", "testing", "dummy", "sample", "example", "demo", "phantom", "qa", "qc", "tbd"),
        *("confidential", "secret", "hipaa", "phi", "ctp", "rsna", "tba", "blinded", "pseudonymisiert"),
        *("emergency", "trauma", "research", "abc", "x"),
        *("temp", "temporary", "xxx", "noname", "nobody", "anybody", "noid", "nopid", "nomrn", "nameless"),
        *(
            "匿名",
            "匿名化",
            "未知",
            "不明",
            "无名",
            "無名",
            "无名氏",
            "無名氏",
            "佚名",
            "测试",
            "測試",
            "テスト",
        ),
    )
)
# Words that say what a field is for; they count only beside one of the words above.
_FIELD = frozenset(
    (
        *("patient", "patients", "patienten", "paciente", "paziente", "pat", "pt", "subject", "person"),
        *("id", "ids", "name", "names", "nom", "nome", "nombre", "naam", "nr", "no", "not", "number", "mrn"),
        *("given", "available", "applicable", "provided", "known", "entered", "set", "de", "the", "first"),
        *("specified", "assigned", "by", "dicom", "cleaner", "male", "female", "study"),
        *("last", "family", "surname", "data", "value", "user", "患者", "姓名", "氏名", "病人"),
    )
)
_PHRASES = frozenset(
    (
        *(
            "na",
            "nv",
            "noid",
            "noname",
            "notavailable",
            "notapplicable",
            "notgiven",
            "notprovided",
            "notassigned",
            "notknown",
        ),
        *("notentered", "notset", "deidentified", "patient", "patientid", "patientname", "name", "id", "pid"),
        *("nopatientid", "nopatientname", "johndoe", "janedoe", "doejohn", "doejane", "maxmustermann"),
        *("mustermannmax", "erikamustermann", "mustermannerika", "姓名", "患者"),
        *("123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789"),
    )
)
_SEXES: dict[str, Literal["F", "M", "O"]] = {
    **dict.fromkeys(
        ("f", "fem", "female", "feminine", "woman", "girl", "w", "weiblich", "weibl", "frau"), "F"
    ),
    **dict.fromkeys(
        ("femme", "feminin", "femenino", "femenina", "mujer", "femmina", "femminile", "donna"), "F"
    ),
    **dict.fromkeys(("feminino", "feminina", "mulher", "v", "vrouw", "vrouwelijk", "女", "女性"), "F"),
    **dict.fromkeys(("m", "masc", "male", "masculine", "man", "boy", "mannlich", "maennlich", "mann"), "M"),
    **dict.fromkeys(("homme", "masculin", "h", "hombre", "varon", "masculino", "maschio", "maschile"), "M"),
    **dict.fromkeys(("uomo", "homem", "mannelijk", "男", "男性"), "M"),
    **dict.fromkeys(("o", "other", "d", "divers"), "O"),
}
_WORD = re.compile(r"[^\W_]+")
_AE = re.compile(r"(?<=[aou])e(?=.)")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})


@dataclass(frozen=True, slots=True)
class Person:
    """What one image says about whose it is; never printed, as all of it is a patient's."""

    id: str = field(repr=False)
    """PatientID."""
    name: str = field(repr=False)
    """PatientName, decoded."""
    birth: str = field(repr=False)
    """PatientBirthDate as it stands."""
    sex: str | None = field(repr=False)
    """M, F, O or None."""
    age: float | None = field(repr=False)
    """Years at the study."""


class Told(Protocol):
    """What ``shared_by_several`` reads of an exam's record."""

    @property
    def patient(self) -> str:
        """Pseudonym of the patient."""

    @property
    def sex(self) -> str | None:
        """M, F, O or None."""

    @property
    def age(self) -> float | None:
        """Years."""


@lru_cache(maxsize=256)
def sex_of(stated: str) -> Literal["F", "M", "O"] | None:
    """The sex that a header states, by letter or in words of several languages; None if not understood.

    >>> sex_of("F"), sex_of("Mujer"), sex_of("männlich"), sex_of("U")
    ('F', 'F', 'M', None)
    """
    words = _words(stated)
    return _SEXES.get(words[0]) if len(words) == 1 else None


@lru_cache(maxsize=4096)
def is_placeholder(value: str) -> bool:
    """Whether an ID or a name stands for nobody: blank, only signs, a filler word, one character repeated.

    Only whole values count: ``ANON-0017`` tells people apart.

    >>> is_placeholder("ANONYMOUS"), is_placeholder("0000"), is_placeholder("^"), is_placeholder("ANON-0017")
    (True, True, True, False)
    """
    words = _words(value)
    plain = "".join(words)
    if plain in ("", "1") or plain in _PHRASES or not plain.strip("0"):
        return True
    if len(set(plain)) == 1 and len(plain) >= (4 if plain.isdigit() else 2):
        return True
    rest = [word for word in words if word.strip("0") and word not in _FIELD]
    return all(
        word.rstrip("0") in _NOBODY or (len(word) > 2 and len(set(word)) == 1 and word.isalpha())
        for word in rest
    )


def identity(person: Person, study: str) -> tuple[str, ...]:
    """The values whose keyed hash is the patient's pseudonym; they differ where people may differ.

    A credible ID stands alone, as it stands. Without one, name, date of birth and sex together name a person,
    if name and date are credible; else the study is all that is known, and stands for one person.
    """
    if not is_placeholder(person.id):
        return (person.id.strip(),)
    born = birth_date(person.birth)
    if born is None or is_placeholder(person.name):
        return "study", study
    return "person", " ".join(_spelling(person.name)), born.isoformat(), person.sex or ""


def contradict(a: Person, b: Person) -> bool:
    """Whether two images of one study cannot be of one person."""
    return bool(contradiction(a, b))


def contradiction(a: Person, b: Person) -> str:
    """Why two images of one study cannot be of one person, in words of this code; '' if they may be.

    Names are compared only where neither image has a credible ID, and contradict only without any common
    word: the spelling of a name changes within one archive.
    """
    a_known, b_known = not is_placeholder(a.id), not is_placeholder(b.id)
    if a_known and b_known and _number(a.id) != _number(b.id):
        return "two patient IDs"
    if a.sex != b.sex and {a.sex, b.sex} == {"M", "F"}:
        return "two sexes"
    a_born, b_born = birth_date(a.birth), birth_date(b.birth)
    if a_born is not None and b_born is not None and a_born != b_born:
        return "two dates of birth"
    if a.age is not None and b.age is not None and abs(a.age - b.age) > YEARS_APART:
        return f"ages {YEARS_APART:g} years apart or more"
    named = not (a_known or b_known or is_placeholder(a.name) or is_placeholder(b.name))
    return "two names" if named and set(_spelling(a.name)).isdisjoint(_spelling(b.name)) else ""


def shared_by_several(exams: Iterable[Told]) -> tuple[str, ...]:
    """Pseudonyms, sorted, that stand for several people: their exams name two sexes, or ages too far apart.

    Such a pseudonym comes from an ID that an archive or an anonymiser gave to many. Dates of studies are
    not in the records, so ages may differ by up to ``FOLLOW_UP_YEARS``.
    """
    sexes: dict[str, set[str]] = {}
    ages: dict[str, list[float]] = {}
    for exam in exams:
        if exam.sex in ("M", "F"):
            sexes.setdefault(exam.patient, set()).add(exam.sex)
        if exam.age is not None:
            ages.setdefault(exam.patient, []).append(exam.age)
    several = {patient for patient, seen in sexes.items() if len(seen) > 1}
    several |= {patient for patient, seen in ages.items() if max(seen) - min(seen) > FOLLOW_UP_YEARS}
    return tuple(sorted(several))


def _number(value: str) -> str:
    """An ID without what archives add to it or drop: case, signs and leading noughts."""
    return "".join(_WORD.findall(value.casefold())).lstrip("0")


def _words(value: str) -> list[str]:
    """Words without case, accents and signs."""
    folded = unicodedata.normalize("NFKC", value).casefold().translate(_LETTERS)
    plain = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return _WORD.findall(unicodedata.normalize("NFC", plain))


def _spelling(name: str) -> list[str]:
    """The words of a name, sorted; ä, ae and a are the same, as archives spell one name in all these ways."""
    return sorted(_AE.sub("", word) for word in _words(name))

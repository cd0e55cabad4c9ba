"""Names of scanner manufacturers as headers spell them, and the one name each gets here."""

import csv
import re
from pathlib import Path

from nameplate.errors import UserError

# Matched at the start of the name, after everything but letters and digits is removed.
_TABLE = (
    (r"ge(medical|healthcare|$)|generalelectric", "GE"),
    (r"siemens", "Siemens"),
    (r"philips|marconi|picker", "Philips"),
    (r"toshiba|canon", "Canon"),
    (r"hitachi|fujifilmhealthcare", "Hitachi"),
    (r"neusoft", "Neusoft"),
    (r"shanghaiunitedimaging|unitedimaging|uih", "United Imaging"),
    (r"neurologica|samsung", "NeuroLogica"),
    (r"shimadzu", "Shimadzu"),
    (r"anke|shenzhenanke", "Anke"),
    (r"minfound", "MinFound"),
)
_RULES = tuple((re.compile(pattern), name) for pattern, name in _TABLE)


def normalise(name: str) -> str | None:
    """The manufacturer's one name, or None for an unknown or empty name.

    >>> normalise("GE MEDICAL SYSTEMS"), normalise("Siemens Healthineers"), normalise("TOSHIBA")
    ('GE', 'Siemens', 'Canon')
    """
    plain = re.sub(r"[^a-z0-9]", "", name.casefold())
    return next((known for pattern, known in _RULES if pattern.match(plain)), None)


def read_manufacturers(path: Path) -> dict[str, str]:
    """Manufacturers by study (StudyInstanceUID or name of its folder) from a CSV; raises UserError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as a CSV file") from error
    if not rows or not {"study", "manufacturer"} <= set(rows[0]):
        raise UserError(f"{path}: expected the columns study and manufacturer")
    table: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        study, manufacturer = (row["study"] or "").strip(), (row["manufacturer"] or "").strip()
        if not study or not manufacturer:
            raise UserError(f"{path}, line {line}: study and manufacturer must not be empty")
        if table.setdefault(study, manufacturer) != manufacturer:
            raise UserError(f"{path}, line {line}: this study already has another manufacturer")
    return table

"""The secret key behind the pseudonyms of patients and studies."""

import hashlib
import logging
import os
import secrets
from pathlib import Path

from nameplate.errors import UserError

logger = logging.getLogger(__name__)

VARIABLE = "NAMEPLATE_KEY"
LEAST_BYTES = 16


def simulated_key(seed: int, cohort: str) -> bytes:
    """The key for a simulated cohort: its patients need no protection, but its results must repeat."""
    return hashlib.sha256(f"simulated cohort {cohort} of seed {seed}".encode()).digest()


def key_file() -> Path:
    """Where a laptop keeps the key if the environment has none."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "nameplate" / "key"


def pseudonym_key() -> bytes:
    """The key for real patients: NAMEPLATE_KEY, or the key file, created if missing (mode 0600).

    Raises UserError for a key that is too short to protect anything.
    """
    text = os.environ.get(VARIABLE)
    where = VARIABLE
    if text is None:
        path = key_file()
        where = str(path)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
            logger.warning(
                "made a key for the pseudonyms, %s: keep it; with another the same patients get other names",
                where,
            )
        text = path.read_text()
    key = text.strip().encode()
    if len(key) < LEAST_BYTES:
        raise UserError(f"{where}: the key must have at least {LEAST_BYTES} characters")
    return key

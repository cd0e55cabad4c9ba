"""The errors that nameplate raises on purpose, and the exit code of each.

    NameplateError
    ├── UserError            exit 2: the user's mistake; trying again will not help
    │   ├── CampaignError    the campaign file is wrong, with the path into it
    │   ├── CohortError      the exams cannot form the cohort that the campaign asks for
    │   ├── StoreError       the store is not one of ours, is full, or may not be written
    │   └── DamagedObject    a stored object is not what was committed
    └── TryAgain             exit 75: the machine's fault; the same job may succeed later
        └── StoreUnreachable the store does not answer

Anything else that escapes is a bug: a traceback and exit 1, or 70 in the local runner's account.
"""


class NameplateError(Exception):
    """Base of all errors raised on purpose; the text is one readable line."""

    exit_code = 70


class UserError(NameplateError):
    """The user's mistake: no retry will fix it."""

    exit_code = 2


class CampaignError(UserError):
    """The campaign file is wrong; the text starts with the path into the file."""


class CohortError(UserError):
    """The exams cannot form the cohort that the campaign asks for."""


class StoreError(UserError):
    """The store is not one of ours, is full, or may not be written."""


class DamagedObject(UserError):
    """A stored object is not what was committed."""


class TryAgain(NameplateError):
    """Not the job's fault: run it again."""

    exit_code = 75


class StoreUnreachable(TryAgain):
    """The store does not answer."""

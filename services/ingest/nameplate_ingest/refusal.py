"""Why a file or a series was not used: a rule's name and what the rule saw."""


class Refused(Exception):
    """Raised where reading meets something that is not usable; it ends as a row of the ledger.

    ``seen`` holds numbers and words of this code only, never text of the source.
    """

    def __init__(self, rule: str, seen: str = "") -> None:
        super().__init__(rule, seen)
        self.rule = rule
        self.seen = seen

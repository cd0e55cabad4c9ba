"""Why a file or a series was not used: a rule's name and what the rule saw."""


class Refused(Exception):
    """Raised for something that cannot be used; it becomes a row of the ledger.

    ``seen`` contains only numbers and words of this code, never text from the source. ``doubtful`` says
    that a person should look at it.
    """

    def __init__(self, rule: str, seen: str = "", *, doubtful: bool = False) -> None:
        super().__init__(rule, seen)
        self.rule = rule
        self.seen = seen
        self.doubtful = doubtful

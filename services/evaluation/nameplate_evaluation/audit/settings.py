"""What an audit asks, stated before the first number is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

AUROC_MARGIN, DICE_MARGIN = 0.05, 0.02


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """The question; numbers are fractions of one."""

    factor: str | None = None
    """Column that the answer is about; None for the manufacturer or, without it, the first that there is."""
    threshold: float | None = None
    """The vendor's; None for that of the table or, of probabilities, one half."""
    specificity: float = 0.90
    """The chosen threshold keeps this share of the negatives below it."""
    prevalence: float | None = None
    """At which predictive values are given; None for that of the table."""
    margin: float | None = None
    """Smaller gaps in AUROC (Dice) do not matter; None for 0.05 (0.02)."""
    confidence: float = 0.95
    bins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Cuts of columns of numbers."""
    seed: int = 1
    """Of levels dealt by chance."""

    def margin_of(self, *, dice: bool) -> float:
        """The margin of the main metric."""
        return self.margin if self.margin is not None else DICE_MARGIN if dice else AUROC_MARGIN

"""From exams to a cohort: matched on age and sex, balanced, split by patient; pseudo-levels. All pure."""

from nameplate.cohort.balance import BalanceRow, balance_table
from nameplate.cohort.members import Cohort, make_cohort
from nameplate.cohort.pseudo_levels import with_pseudo_levels
from nameplate.cohort.split import SplitCounts, split_counts

__all__ = [
    "BalanceRow",
    "Cohort",
    "SplitCounts",
    "balance_table",
    "make_cohort",
    "split_counts",
    "with_pseudo_levels",
]

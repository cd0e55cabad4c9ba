"""From the exams at hand to a cohort: matched on age and sex, balanced, split by patient. All pure."""

from nameplate.cohort.cohort import Cohort, make_cohort
from nameplate.cohort.split import SplitCounts, split_counts

__all__ = ["Cohort", "SplitCounts", "make_cohort", "split_counts"]

"""Everything on separability of a campaign's study cohorts, as the report prints it."""

from dataclasses import dataclass

from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.separability.proposal import Proposal, proposal_of
from nameplate_evaluation.separability.separability import Separability, separability_of
from nameplate_evaluation.separability.strata import Stratified, stratified
from nameplate_evaluation.separability.tables import tables
from nameplate_evaluation.separability.words import sentences, warnings
from nameplate_evaluation.table import Table


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One study cohort."""

    separability: Separability
    strata: tuple[Stratified, ...] | None
    """Of the main experiment; None on a cohort where it has no advantage."""
    proposal: Proposal | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict, the most important sentence first."""
        return sentences(self.separability, self.strata, self.proposal)

    @property
    def lines(self) -> str:
        """The matched sub-cohort as lines for a campaign file; empty if none can be offered."""
        return self.proposal.lines if self.proposal is not None else ""


def judged_of(analysis: Analysis, claim: Claim | None) -> tuple[Judged, ...]:
    """Every study cohort that has exams."""
    found = []
    for cohort in analysis.results.cohorts:
        if analysis.role(cohort.name) != "study":
            continue
        separability = separability_of(cohort, analysis.campaign)
        if separability is None:
            continue
        grid = claim.advantage.grid if claim is not None else None
        strata = None
        if grid is not None and grid.cohort == cohort.name:
            strata = stratified(analysis, grid, separability, cohort.exams)
        proposal = proposal_of(cohort, analysis.campaign, separability)
        found.append(Judged(separability=separability, strata=strata, proposal=proposal))
    return tuple(found)


def warnings_of(judged: tuple[Judged, ...]) -> tuple[str, ...]:
    """For the first block of the report."""
    return tuple(line for one in judged for line in warnings(one.separability))


def tables_of(judged: tuple[Judged, ...]) -> list[Table]:
    """The section's tables; those without rows are empty."""
    return tables(
        [one.separability for one in judged],
        [row for one in judged for row in one.strata or ()],
        [one.proposal for one in judged if one.proposal is not None],
    )

"""Everything that the report's section on separability shows, for all study cohorts of a campaign."""

from dataclasses import dataclass

from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.separability.proposal import Proposal, proposal_of
from nameplate_evaluation.separability.separability import Separability, separability_of
from nameplate_evaluation.separability.strata import Stratified, stratified
from nameplate_evaluation.separability.tables import tables
from nameplate_evaluation.separability.words import sentences, warnings
from nameplate_evaluation.table import Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """Plain values, in the order of the campaign's cohorts; empty without a study cohort that has exams."""

    found: tuple[Separability, ...] = ()
    strata: tuple[Stratified, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    sentences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """For the first block of the report."""

    @property
    def tables(self) -> list[Table]:
        """Those of the section; some may have no rows."""
        return tables(self.found, self.strata, self.proposals)

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines for the campaign file, one text a cohort that could be matched better."""
        return tuple(proposal.lines for proposal in self.proposals if proposal.lines)


def section_of(analysis: Analysis) -> Section:
    """Judge every study cohort; strata are of its first sphere experiment that has an advantage."""
    found: list[Separability] = []
    strata: list[Stratified] = []
    proposals: list[Proposal] = []
    told: list[str] = []
    warned: list[str] = []
    for cohort in analysis.results.cohorts:
        one = separability_of(cohort, analysis.campaign)
        if one is None:
            continue
        grid = _grid_of(analysis, cohort.name)
        within = None if grid is None else stratified(analysis, grid, one, cohort.exams)
        proposal = proposal_of(cohort, analysis.campaign, one)
        found.append(one)
        strata += within or ()
        proposals += [] if proposal is None else [proposal]
        told += sentences(one, within, proposal)
        warned += warnings(one)
    return Section(
        found=tuple(found),
        strata=tuple(strata),
        proposals=tuple(proposals),
        sentences=tuple(dict.fromkeys(told)),
        warnings=tuple(warned),
    )


def _grid_of(analysis: Analysis, cohort: str) -> ResultGrid | None:
    grids = (grid for grid in analysis.judged() if grid.cohort == cohort)
    return next((grid for grid in grids if advantage_of(analysis, grid, "auroc")), None)

"""Whether the factor can be told from everything that comes with it: kernel, dose, protocol, site."""

from nameplate_evaluation.separability.proposal import Proposal, proposal_of
from nameplate_evaluation.separability.section import Section, section_of
from nameplate_evaluation.separability.separability import Separability, separability_of
from nameplate_evaluation.separability.strata import Stratified, stratified
from nameplate_evaluation.separability.tables import tables
from nameplate_evaluation.separability.words import sentences, warnings

__all__ = [
    "Proposal",
    "Section",
    "Separability",
    "Stratified",
    "proposal_of",
    "section_of",
    "sentences",
    "separability_of",
    "stratified",
    "tables",
    "warnings",
]

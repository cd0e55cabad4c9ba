"""A verb of the command line: what a service offers to a person, apart from its steps."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb, used by ``nameplate <verb>`` and by the service's own entry point alike."""

    name: str
    summary: str
    """One line for the list of verbs."""
    description: str
    """A paragraph that teaches what it does and what it writes."""
    example: str
    """One command line that works."""
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    """Does the work and returns the exit code; raises NameplateError for what it refuses."""

"""Entry point of the evaluation service alone."""

import sys

from nameplate.service import exit_code_of, service_main
from nameplate_evaluation.export import export


def main() -> int:
    """Run `nameplate-evaluation`; ``export`` prints a campaign's report for another machine to read."""
    if sys.argv[1:2] == ["export"]:
        return exit_code_of(lambda: export(sys.argv[2:]))
    return service_main("evaluation")

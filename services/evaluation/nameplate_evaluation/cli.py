"""Entry point of the evaluation service alone."""

import sys

from nameplate.service.main import exit_code_of, service_main
from nameplate_evaluation.export import export
from nameplate_evaluation.fresh_report import report_main


def main() -> int:
    """Run `nameplate-evaluation`: a report from a store, or the committed one for another machine to read."""
    if sys.argv[1:2] == ["export"]:
        return exit_code_of(lambda: export(sys.argv[2:]))
    if sys.argv[1:2] == ["report"]:
        return exit_code_of(lambda: report_main(sys.argv[2:]))
    return service_main("evaluation")

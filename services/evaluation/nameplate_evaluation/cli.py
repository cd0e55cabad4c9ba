"""Entry point of the evaluation service."""

import sys

from nameplate.service.main import exit_code_of, service_main

HELP = """\
usage: nameplate-evaluation audit|report|export|job|chunk ... (each has --help)

  audit SCORES.csv --out FOLDER       hold any model's scores against the scanners
  report --store STORE --out FOLDER   write the report on what is in a store
  export --store STORE                print the committed report, for another machine to read
  job report --store STORE            do this step of a campaign, and commit it
  chunk report+1 --store STORE        the same in a pod of a cluster

example:
  nameplate-evaluation report --store runs/demo --out report
"""
COMMANDS = ("audit", "report", "export", "-h", "--help")


def main() -> int:
    """Run `nameplate-evaluation`."""
    given = sys.argv[1:]
    if given and given[0] not in COMMANDS:
        return service_main("evaluation")
    return exit_code_of(lambda: _run(given[:1], given[1:]))


def _run(command: list[str], arguments: list[str]) -> int:
    if command == ["audit"]:
        from nameplate.service.command import run_command
        from nameplate_evaluation.audit.command import COMMAND

        return run_command(COMMAND, "nameplate-evaluation audit", arguments)
    if command == ["report"]:
        from nameplate_evaluation.fresh_report import report_main

        return report_main(arguments)
    if command == ["export"]:
        from nameplate_evaluation.export import export

        return export(arguments)
    print(HELP, end="")
    return 0 if command else 2

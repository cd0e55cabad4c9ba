"""Entry point of the evaluation service."""

import sys

from nameplate.service.command import run_command
from nameplate.service.main import exit_code_of, service_main
from nameplate_evaluation.audit.command import COMMAND as AUDIT
from nameplate_evaluation.export import export
from nameplate_evaluation.fresh_report import report_main

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
COMMANDS = {"report": report_main, "export": export}


def main() -> int:
    """Run `nameplate-evaluation`."""
    given = sys.argv[1:]
    if given[:1] == ["audit"]:
        return exit_code_of(lambda: run_command(AUDIT, "nameplate-evaluation audit", given[1:]))
    if given[:1] and given[0] in COMMANDS:
        return exit_code_of(lambda: COMMANDS[given[0]](given[1:]))
    if not given or set(given) <= {"-h", "--help"}:
        print(HELP, end="")
        return 0 if given else 2
    return service_main("evaluation")

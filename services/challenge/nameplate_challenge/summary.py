"""The first screen: what was asked, what was found at each level, the gaps, and what failed."""

from collections.abc import Sequence

from nameplate.service.columns import aligned
from nameplate_challenge.asked import Asked
from nameplate_challenge.findings import Findings
from nameplate_challenge.words import caveats, compared, detected, planted

_MOST_REASONS = 5


def summary_lines(findings: Findings, asked: Asked) -> Sequence[str]:
    """Lines for a terminal."""
    table = [
        [findings.factor, "contrast", f"found in {100 * findings.sensitivity:g} % from", "found, all radii",
         "false alarms", "failed"]
    ]  # fmt: skip
    for row in detected(findings):
        level = row.level if row.failed else ""  # named in its first row alone, like what is of all contrasts
        table.append([level, row.contrast, row.radius, row.found, row.alarms, row.failed])
    lines = [
        planted(findings, asked),
        "",
        *aligned(table, len(table[0])),
    ]
    if findings.gaps:
        gaps = [[row.figure, row.between, row.value, row.p] for row in compared(findings)]
        lines += ["", f"gaps, {100 * findings.confidence:g} % intervals, p after Holm:", *aligned(gaps, 4)]
    if findings.reasons:
        lines += ["", "cases without a score (ledger.csv):"]
        common = sorted(findings.reasons.items(), key=lambda item: (-item[1], item[0]))
        lines += [f"  {count} {reason}" for reason, count in common[:_MOST_REASONS]]
    return [*lines, "", *caveats(findings)]

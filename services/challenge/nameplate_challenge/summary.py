"""The first screen: what was asked, what was found at each level, the gaps, and what failed."""

from collections.abc import Sequence

from nameplate.service.columns import aligned
from nameplate_challenge.asked import Asked
from nameplate_challenge.findings import Findings
from nameplate_challenge.words import (
    caveats,
    failed,
    gap_name,
    gap_p,
    gap_value,
    percent,
    planted,
    radius,
)

_MOST_REASONS = 5


def summary_lines(findings: Findings, asked: Asked) -> Sequence[str]:
    """Lines for a terminal."""
    table = [
        [findings.factor, "contrast", f"found in {100 * findings.sensitivity:g} % from", "found, all radii",
         "false alarms", "failed"]
    ]  # fmt: skip
    for level in findings.levels:
        for place, curve in enumerate(level.curves):
            first = place == 0
            table.append(
                [
                    level.level if first else "",
                    f"{curve.hu:+g} HU",
                    radius(curve),
                    percent(curve.sensitivity),
                    percent(level.untouched) if first else "",
                    failed(level) if first else "",
                ]
            )
    lines = [
        planted(findings, asked),
        "",
        *aligned(table, len(table[0])),
    ]
    if findings.gaps:
        gaps = [
            [gap_name(gap, findings), f"{gap.second} - {gap.first}", gap_value(gap), gap_p(gap)]
            for gap in findings.gaps
        ]
        lines += ["", f"gaps, {100 * findings.confidence:g} % intervals, p after Holm:", *aligned(gaps, 4)]
    if findings.reasons:
        lines += ["", "cases without a score (ledger.csv):"]
        common = sorted(findings.reasons.items(), key=lambda item: (-item[1], item[0]))
        lines += [f"  {count} {reason}" for reason, count in common[:_MOST_REASONS]]
    return [*lines, "", *caveats(findings)]

"""The first screen of an audit, as text for a terminal."""

from nameplate_evaluation.audit.answer import answers_of
from nameplate_evaluation.audit.audit import Audit, titled
from nameplate_evaluation.audit.cautions import cautions_of
from nameplate_evaluation.audit.files import read_lines, scope_of
from nameplate_evaluation.audit.roles import Roles
from nameplate_evaluation.audit.tables import not_counted
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.table import Kind, interval, printed

_SHOWN: tuple[tuple[str, str, Kind], ...] = (
    ("dice", "Dice", "dice"),
    ("auroc", "AUROC, %", "percent"),
    ("sensitivity", "sensitivity, %", "percent"),
    ("specificity", "specificity, %", "percent"),
)


def screen_of(audit: Audit, roles: Roles, name: str) -> str:
    """The answers, the factor's levels, what does not count, and how the table was read."""
    lines: list[str] = []
    for answer in answers_of(audit):
        lines += [answer.sentence]
    lines += [scope_of(audit), ""]
    lines += [f"warning: {line}" for line in cautions_of(audit)]
    for one in audit.networks:
        if len(audit.networks) > 1:
            lines += ["", one.network.name]
        shown = [entry for entry in _SHOWN if entry[0] in one.whole.values]
        rows = [(audit.factor.title, "exams", "positive", *(title for _, title, _ in shown))]
        for of in (*one.main.of_level, one.whole):
            positives = "" if of.positives is None else str(of.positives)
            rows.append(
                (of.level, str(of.exams), positives, *(_cell(of.values[key], kind) for key, _, kind in shown))
            )
        lines += ["", *_aligned(rows)]
    if losses := not_counted(audit):
        lines += ["", "not counted, or not fully:"]
        lines += [f"  {count} {what} {reason}" for count, what, reason in losses]
    if audit.left_out:
        lines += ["", "not compared by:"]
        lines += [f"  {titled(name)}: {why}" for name, why in audit.left_out]
    lines += ["", "read as: " + "; ".join(f"{word} {line}" for word, line in read_lines(audit, roles, name))]
    return "\n".join(lines) + "\n"


def _cell(value: Estimate | str, kind: Kind) -> str:
    if isinstance(value, str):
        return value
    span = interval(value, kind)
    return f"{printed(value.mean, kind)} ({span})" if span else printed(value.mean, kind)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

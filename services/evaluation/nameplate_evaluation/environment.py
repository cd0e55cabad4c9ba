"""The templates of pages, and what all of them can call."""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.panel import Panel
from nameplate_evaluation.table import interval, printed


def environment() -> Environment:
    """Reads ``templates/``; what is undefined is an error, and every text is escaped."""
    folder = files("nameplate_evaluation") / "templates"
    made = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["plot"] = _plot
    made.globals |= {"printed": printed, "interval": interval, "is_estimate": _is_estimate}
    return made


def _plot(panel: Panel) -> Markup:
    """A panel's plot as markup: it is our own, with its texts already escaped."""
    return Markup(panel.svg)


def _is_estimate(value: object) -> bool:
    return isinstance(value, Estimate)

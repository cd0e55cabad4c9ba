"""The steps of a campaign, in order. This is the only place where the graph is written down.

Each step is described in ``nameplate.steps.<step>``. The runners and the chart are built from this
tuple, or tests compare them with it.
"""

from nameplate.steps import (
    challenge,
    cohort,
    detection,
    fingerprint,
    ingest,
    listing,
    pack,
    phantom,
    prediction,
    report,
    selection,
    skullstrip,
    synthesis,
    training,
)
from nameplate.steps.step import Step

STEPS: tuple[Step, ...] = (
    phantom.STEP,
    listing.STEP,
    ingest.STEP,
    skullstrip.STEP,
    cohort.STEP,
    fingerprint.STEP,
    synthesis.STEP,
    pack.STEP,
    training.STEP,
    selection.STEP,
    prediction.STEP,
    challenge.STEP,
    detection.STEP,
    report.STEP,
)

SERVICES = tuple(dict.fromkeys(step.service for step in STEPS))
"""The services that steps run in."""
ARM_STEPS = tuple(step.name for step in STEPS if step.scope == "arm")
"""The steps that every arm repeats on its own, round by round."""

_BY_NAME = {step.name: step for step in STEPS}


def step_named(name: str) -> Step:
    """The step of this name; KeyError when there is none."""
    return _BY_NAME[name]

"""Settings of the analysis: stated before the first result, so that the campaign's digest registers them."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class MarginSettings(Settings):
    """The largest advantage that counts as none."""

    auroc: float = Field(default=0.02, gt=0, lt=0.5)
    dice: float = Field(default=0.01, gt=0, lt=0.5)


class AssumedSettings(Settings):
    """Variances that ``nameplate plan`` assumes, to say before any training what could be found.

    With the defaults, standard errors and effects that can be found are within 15 % of those of simulated
    campaigns with the paper's three tasks and two levels (the table is in ``nameplate.plan.power``). A
    report gives a campaign's own variances.
    """

    run_sd: float = Field(default=0.10, gt=0, lt=0.5)
    """Standard deviation over the runs of one cell of a network's AUROC on one level's exams, for the last
    (hardest) task; on the others the same on the probit scale, which is less near the ceiling."""
    run_correlation: float = Field(default=0.5, ge=0, lt=1)
    """Correlation, over these runs, of the AUROCs (or Dice) on two levels."""
    first_auroc: float = Field(default=0.99, gt=0.5, lt=1)
    """AUROC of a typical cell of the first (easiest) of several tasks."""
    auroc: float = Field(default=0.92, gt=0.5, lt=1)
    """AUROC of a typical cell of the last task, or of the only one."""
    exam_correlation: float = Field(default=0.5, ge=0, lt=1)
    """Correlation of what two networks trained on different levels make of one exam, and of an advantage's
    error by the choice of exams on two tasks."""
    twin_correlation: float = Field(default=0.75, ge=0, lt=1)
    """Correlation of what one network makes of one head scanned on two levels, where there are twins."""
    dice_run_sd: float = Field(default=0.002, gt=0, lt=0.5)
    """Standard deviation over the runs of one cell of a network's mean Dice on one level's exams."""
    dice_exam_sd: float = Field(default=0.005, gt=0, lt=0.5)
    """Standard deviation over exams of one network's Dice."""


class SizeSettings(Settings):
    """Sizes that the campaign is meant to have; the evidence sheet says whether it has them."""

    runs: int | None = Field(default=None, ge=2)
    """Kept runs of every cell that is compared."""
    test_exams: int | None = Field(default=None, ge=2)
    """Test exams of every level."""


class AnalysisSettings(Settings):
    """How the question is answered."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of all intervals."""
    margin: MarginSettings = MarginSettings()
    """Below it, an advantage is called small, and a stated comparison is met."""
    comparisons: tuple[str, ...] = ()
    """Experiments in which networks are to do no worse on other levels than the margin allows; none named:
    the first of classification, of spheres or labels."""
    sizes: SizeSettings = SizeSettings()
    specificity: float = Field(default=0.90, gt=0, lt=1)
    """Of the threshold that is chosen on a network's own validation exams and carried to other levels."""
    assumed: AssumedSettings = AssumedSettings()

"""Settings of the analysis: stated before the first result, so that the campaign's digest registers them."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class MarginSettings(Settings):
    """The largest advantage that counts as none."""

    auroc: float = Field(default=0.02, gt=0, lt=0.5)
    dice: float = Field(default=0.01, gt=0, lt=0.5)


class AssumedSettings(Settings):
    """Variances that ``nameplate plan`` assumes, to say before any training what could be found.

    The defaults were seen in campaigns of this package; the report gives a campaign's own.
    """

    run_sd: float = Field(default=0.05, gt=0, lt=0.5)
    """Standard deviation over the runs of one cell of a network's AUROC on one level's exams."""
    run_correlation: float = Field(default=0.5, ge=0, lt=1)
    """Correlation, over these runs, of the AUROCs on two levels."""
    auroc: float = Field(default=0.85, gt=0.5, lt=1)
    """AUROC of a typical cell."""
    exam_correlation: float = Field(default=0.5, ge=0, lt=1)
    """Correlation of what two networks trained on different levels make of one exam."""


class AnalysisSettings(Settings):
    """How the question is answered."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of all intervals."""
    margin: MarginSettings = MarginSettings()
    """Below it, an advantage is called small."""
    specificity: float = Field(default=0.90, gt=0, lt=1)
    """Of the threshold that is chosen on a network's own validation exams and carried to other levels."""
    assumed: AssumedSettings = AssumedSettings()

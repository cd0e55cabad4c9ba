"""What several plots share: means with intervals, the paper's marks, the tasks below."""

from matplotlib.axes import Axes

from nameplate_evaluation.measure import Estimate


def intervals(
    axes: Axes, estimates: list[Estimate | None], shift: float, colour: str, marker: str, label: str
) -> None:
    """Means joined by a line, with their intervals; one place per task, empty without a figure."""
    xs = [x + shift for x, estimate in enumerate(estimates) if estimate is not None]
    known = [estimate for estimate in estimates if estimate is not None]
    if not known:
        return
    ys = [100 * estimate.mean for estimate in known]
    axes.plot(xs, ys, color=colour, marker=marker, label=label, zorder=3)
    for x, estimate in zip(xs, known, strict=True):
        if (low := estimate.low) is not None and (high := estimate.high) is not None:
            axes.plot([x, x], [100 * low, 100 * high], color=colour, linewidth=1.4, zorder=3)


def paper_marks(axes: Axes, values: list[float | None], shift: float, colour: str, marker: str) -> None:
    """The paper's numbers: small and hollow, next to ours."""
    spots = [(x + shift, 100 * y) for x, y in enumerate(values) if y is not None]
    axes.plot(
        [x for x, _ in spots],
        [y for _, y in spots],
        linestyle=":",
        linewidth=0.9,
        color=colour,
        marker=marker,
        markersize=4.5,
        markerfacecolor="white",
        markeredgewidth=1.1,
        zorder=2,
    )


def tasks_below(axes: Axes, datasets: list[str]) -> None:
    """The tasks' names below the axes."""
    axes.set_xticks(range(len(datasets)), datasets)
    axes.set_xlim(-0.5, len(datasets) - 0.5)
    axes.grid(visible=False, axis="x")

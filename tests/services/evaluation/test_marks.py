"""Marks of a plot: dots, the intervals that there are, and the paper's."""

import pytest
from matplotlib.figure import Figure

from nameplate_evaluation.marks import intervals, paper_marks, tasks_below
from nameplate_evaluation.measure import Estimate


@pytest.fixture
def axes():
    return Figure().add_subplot()


def lines_of(axes):
    return [(list(line.get_xdata()), [float(f"{y:.9g}") for y in line.get_ydata()]) for line in axes.lines]


def test_dots_are_joined_and_have_the_intervals_that_there_are(axes):
    known = Estimate(mean=0.5, low=0.4, high=0.7, models=3, exams=9)
    without = Estimate(mean=0.9, models=3, exams=9, note="at the ceiling")
    intervals(axes, [known, None, without], 0.1, "#000000", "o", "here")
    assert lines_of(axes) == [([0.1, 2.1], [50, 90]), ([0.1, 0.1], [40, 70])]


def test_without_figures_nothing_is_drawn(axes):
    intervals(axes, [None, None], 0.1, "#000000", "o", "here")
    assert len(axes.lines) == 0


def test_the_papers_numbers_are_hollow_and_where_they_are_known(axes):
    paper_marks(axes, [0.031, None, 0.114], 0.2, "#000000", "o")
    ((xs, ys),) = lines_of(axes)
    assert (xs, ys) == ([0.2, 2.2], [3.1, 11.4])
    assert axes.lines[0].get_markerfacecolor() == "white"


def test_tasks_stand_below_the_axes(axes):
    tasks_below(axes, ["easy", "hard"])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["easy", "hard"]
    assert axes.get_xlim() == (-0.5, 1.5)

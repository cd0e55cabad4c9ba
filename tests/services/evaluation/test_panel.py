"""Colours that tell training sets apart in one plot."""

from nameplate_evaluation.panel import ALL_COLOUR, colour_of, colours_of


def test_training_sets_of_no_level_have_greys_of_their_own() -> None:
    levels = ("GE", "Siemens")
    found = colours_of(["mixed", "GE", "mixed-half", "Siemens"], levels)
    assert len(set(found.values())) == 4
    assert found["GE"] == colour_of("GE", levels)
    assert found["mixed"] == colour_of("mixed", levels) == ALL_COLOUR

from pathlib import Path

import pytest

from nameplate_cluster.difference import difference, shown

DEMO = (Path(__file__).parents[3] / "campaigns" / "demo.yaml").read_text()


def test_the_same_settings_written_otherwise_do_not_differ() -> None:
    assert difference(DEMO, DEMO) == []
    assert difference(DEMO, "# by Ada\n" + DEMO) == []


def test_a_setting_that_differs_is_shown_with_its_place() -> None:
    other = DEMO.replace("seed: ", "seed: 4")
    before, after = difference(DEMO, other)
    assert before.startswith("-seed: ")
    assert after == "+seed: 4" + before.removeprefix("-seed: ")


@pytest.mark.parametrize("known", ["name: demo\nlevels: [a, b]\n", "name: demo\nlevels: [\n"])
def test_a_file_that_cannot_be_read_today_is_compared_as_it_stands(known: str) -> None:
    lines = difference(known, "name: demo\nlevels: [a]\n")
    assert "+levels: [a]" in lines
    assert any(line.startswith("-") for line in lines)


def test_items_go_by_their_name() -> None:
    one, two = (f"items: [{{name: a, size: {size}}}, {{size: 3}}]\nold: 1\n" for size in (1, 2))
    assert difference(one, two) == ["-items.a.size: 1", "+items.a.size: 2"]


def test_a_long_difference_is_cut() -> None:
    assert shown(["-a", "+b"], 2) == ["-a", "+b"]
    assert shown(["-a", "+b", "+c"], 2) == ["-a", "+b", "... and 1 lines more"]

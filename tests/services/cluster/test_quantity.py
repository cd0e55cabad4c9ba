from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_cluster.quantity import parse_quantity, show_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1), ("500m", Fraction(1, 2)), ("1.5Gi", 3 * 2**29), ("2k", 2000), ("1Ki", 1024), ("1e3", 1000),
        ("100M", 10**8), (4, 4), ("0.1", Fraction(1, 10)), ("24479292Ki", 24479292 * 1024), ("1E", 10**18),
        ("1E2", 100), ("5u", Fraction(5, 10**6)),
    ],
)  # fmt: skip
def test_amounts_as_kubernetes_writes_them(text: str, amount: Fraction) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize("text", ["", "Gi", "1K", "1mi", "{{inputs.parameters.cpu}}", "1 Gi", "--1", "1ki"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


@given(st.integers(0, 2**40), st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_a_suffix_is_a_factor(number: int, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == number * parse_quantity(f"1{suffix}")


def test_bytes_are_shown_in_gib() -> None:
    assert show_quantity("memory", parse_quantity("1536Mi")) == "1.5 GiB"
    assert show_quantity("cpu", parse_quantity("1500m")) == "1.5"

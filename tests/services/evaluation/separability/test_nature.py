"""Fields that are nested in the factor by nature."""

import pytest

from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.field import FIELDS
from nameplate_evaluation.separability.nature import is_other_name, nested_reason


@pytest.mark.parametrize("field", ["model", "software", "kernel"])
def test_names_are_a_manufacturers_own(field):
    assert "manufacturer" in nested_reason(FactorSettings(), field)


@pytest.mark.parametrize("field", sorted({*FIELDS} - {"manufacturer", "model", "software", "kernel"}))
def test_all_manufacturers_could_have_every_other_field(field):
    assert nested_reason(FactorSettings(), field) == ""


def test_groups_of_kernels_may_be_of_all_manufacturers():
    plain = FactorSettings(name="kernel", levels=("STANDARD", "H31s"))
    grouped = FactorSettings(name="kernel", groups={"soft": ("STANDARD", "H31"), "sharp": ("BONE", "H60")})
    assert nested_reason(plain, "manufacturer")
    assert nested_reason(grouped, "manufacturer") == ""
    assert nested_reason(grouped, "kernel_class")


def test_models_and_software_versions_are_not_nested():
    """Models of one manufacturer share versions, and a scanner is updated."""
    assert nested_reason(FactorSettings(name="model", levels=("a", "b")), "software") == ""
    assert nested_reason(FactorSettings(name="software", levels=("a", "b")), "model") == ""


def test_the_factor_itself_is_left_out():
    assert is_other_name(FactorSettings(), "manufacturer")
    assert not is_other_name(FactorSettings(), "model")

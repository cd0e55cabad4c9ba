import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.ingest import SeriesRules
from nameplate_ingest.choice.select import is_bone
from nameplate_ingest.fields.kernel import kernel_class, known_kernel

SOFT = [
    *("STANDARD", "STND", "STD+", "SOFT", "HD STANDARD", "HD SOFT", "CHEST", "Soft"),
    *(
        "H31s",
        "H30f",
        "H20s",
        "H40s",
        "J30s",
        "J40s\\2",
        "J40s\\3",
        "I30f\\2",
        "I31s",
        "B30f",
        "B20s",
        "B31f",
        "AH40",
    ),
    *(
        "C20s",
        "C30s",
        "D30f",
        "Q30f",
        "Hr40",
        "Hr40f",
        "Hr40f\\3",
        "Hr36d",
        "Hr38",
        "Hc40",
        "Hc44",
        "Hv40f",
        "Hp38",
    ),
    *("Br40", "Br36d\\4", "Br40f", "Bf37", "Bv40", "Qr40", "Qr40f\\4", "Qr36", "Sa36"),
    *("A", "B", "UA", "UB", "UC"),
    *(
        "FC01",
        "FC08",
        "FC13",
        "FC18",
        "FC20",
        "FC21",
        "FC22",
        "FC23",
        "FC24",
        "FC25",
        "FC26",
        "FC27",
        "FC41",
        "FC64",
    ),
    *("FC68", "FC26/AIDR 3D", "FC26-H", "fc21 AIDR", "FC62"),
    *("H_SOFT_A", "H_SOFT_B", "B_SOFT_B", "B_VSOFT_C", "B_SMOOTH_B", "H_STANDARD_B", "F20", "SF20"),
]
MEDIUM = ["DETAIL", "HD DETAIL", "B45f", "B46f", "Hr46", "H47s", "C", "EB", "YA"]
SHARP = [
    *(
        "BONE",
        "BONEPLUS",
        "Bone Plus",
        "BONE+",
        "EDGE",
        "ULTRA",
        "LUNG",
        "HD BONE",
        "HD BONEPLUS",
        "HD LUNG",
        "HD EDGE",
    ),
    *("H50s", "H60s", "H60f", "H70h", "J70h", "J70h\\2", "I70f\\3", "B60f", "B70s", "B80f", "C60s", "U90s"),
    *("Hr59", "Hr64f\\3", "Hr68", "Br64", "Bl57", "Bl57d\\4", "Bl40", "Br69", "Qr69", "Ur77", "Ur73"),
    *("D", "E", "L", "YB", "YC", "YD"),
    *("FC30", "FC31", "FC35", "FC50", "FC51", "FC52", "FC55", "FC80", "FC81", "FC84", "FC86", "FL01"),
    *("H_SHARP_B", "B_SHARP_C", "B_VSHARP_D", "H_BONE_A", "B_LUNG_B"),
]


@pytest.mark.parametrize("kernel", SOFT)
def test_kernels_for_soft_tissue(kernel: str) -> None:
    assert kernel_class(kernel) == "soft"


@pytest.mark.parametrize("kernel", MEDIUM)
def test_kernels_between(kernel: str) -> None:
    assert kernel_class(kernel) == "medium"


@pytest.mark.parametrize("kernel", SHARP)
def test_kernels_for_bone_and_lung(kernel: str) -> None:
    assert kernel_class(kernel) == "sharp"


@pytest.mark.parametrize(
    "kernel",
    ["", " ", "quiet", "T20s", "FC70", "kernel-3fa2c1d0", "H3", "H310s", "BONES", "F60", "Wu", "Hr4", "ZZ40"],
)
def test_other_kernels_have_no_class(kernel: str) -> None:
    assert kernel_class(kernel) is None


def test_single_letters_are_philips_alone() -> None:
    assert kernel_class("E", "Philips") == "sharp"
    assert kernel_class("E", "Siemens") is None
    assert known_kernel("E Quax") == ""


@pytest.mark.parametrize("kernel", [kernel for kernel in SOFT + SHARP if "\\" not in kernel])
def test_the_rules_of_the_settings_never_say_the_opposite(kernel: str) -> None:
    if is_bone(kernel, SeriesRules()):
        assert kernel_class(kernel) != "soft"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *(
            ("h31S", "H31s"),
            ("H31s Quax", "H31s"),
            ("Quax H31s", "H31s"),
            ("HR40F\\3", "Hr40f"),
            ("ah40", "AH40"),
        ),
        *(("bone plus", "BONE PLUS"), ("Standard", "STANDARD"), ("HD STANDARD (Quax)", "HD STANDARD")),
        *(
            ("fc26/Quax", "FC26"),
            ("FC 26", "FC26"),
            ("FL-01", "FL01"),
            ("ub", "UB"),
            ("h_soft_b", "H_SOFT_B"),
            ("std+", "STD+"),
            ("Quaxbone", ""),
        ),
    ],
)
def test_the_known_part_in_one_spelling(value: str, name: str) -> None:
    assert known_kernel(value) == name


@given(st.sampled_from(SOFT + MEDIUM + SHARP), st.booleans())
def test_case_and_space_do_not_matter(kernel: str, upper: bool) -> None:
    changed = f"  {kernel.upper() if upper else kernel.lower()} "
    assert known_kernel(changed) == known_kernel(kernel)
    assert kernel_class(changed) == kernel_class(kernel)


@given(
    st.sampled_from(["H", "J", "B", "I", "Hr", "Br", "Qr", "Bv"]), st.integers(10, 98), st.integers(10, 98)
)
def test_a_higher_number_is_never_softer(family: str, number: int, other: int) -> None:
    order = ["soft", "medium", "sharp"]
    low, high = (kernel_class(f"{family}{n}f") for n in sorted((number, other)))
    assert low is not None
    assert high is not None
    assert order.index(low) <= order.index(high)


@given(st.text(max_size=20) | st.from_regex(r"\A\w?[A-Za-zſK]{1,2}\d\d\w?\Z"))
def test_any_text_has_an_answer_and_a_known_kernel_is_known_again(text: str) -> None:
    name = known_kernel(text)
    assert re.fullmatch(r"[A-Za-z0-9+_ \-]*", name)
    assert known_kernel(name) == name
    assert kernel_class(name) == kernel_class(text)

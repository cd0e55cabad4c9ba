"""Which exams a person should look at first."""

from nameplate.cohort.quality.card import shown_of


def exams_of(shown) -> list[int]:
    return [int(one.card.exam.exam[1:], 16) for one in shown]


def test_order_is_unusable_flagged_outlying_and_then_by_manufacturer(card) -> None:
    usual = [card(number, "Siemens" if number % 2 else "GE") for number in range(40)]
    special = [
        card(50, "Siemens", volume_ml=1900.0),
        card(51, "GE", brain_hu=60.0),
        card(52, "GE", flags=("brain-cut",)),
        card(53, "Siemens", flags=("too-small",), usable=False),
        card(54, "GE", usable=False),
    ]
    shown = shown_of([*usual, *special])
    assert exams_of(shown[:5]) == [53, 54, 52, 51, 50]
    assert [one.first for one in shown[:6]] == [True] * 5 + [False]
    others = exams_of(shown[5:])
    assert others == [*range(0, 40, 2), *range(1, 40, 2)]
    assert shown[3].outlying == ("brain 60.0, usually 34.2 HU",)
    assert shown[4].outlying == ("volume 1900, usually 1430 ml",)


def test_rare_flags_come_before_common_ones(card) -> None:
    cards = [card(number, flags=("common",)) for number in range(12)]
    cards += [card(30, flags=("common", "rare")), card(31, flags=("seldom",)), card(32, flags=("seldom",))]
    assert exams_of(shown_of(cards)) == [30, 31, 32, *range(12)]


def test_the_order_does_not_depend_on_the_input(card) -> None:
    cards = [card(number, volume_ml=1400.0 + 100 * (number == 7)) for number in range(20)]
    assert shown_of(cards) == shown_of(cards[::-1])


def test_each_manufacturer_has_its_own_usual(card) -> None:
    thin = [card(number, "GE", thickness_mm=2.5) for number in range(20)]
    thick = [card(number, "Siemens", thickness_mm=5.0) for number in range(100, 120)]
    odd = card(200, "GE", thickness_mm=5.0)
    shown = shown_of([*thin, *thick, odd])
    assert [one.card for one in shown if one.outlying] == [odd]
    assert shown[0].outlying == ("slice thickness 5.00, usually 2.50 mm",)


def test_what_many_exams_have_is_not_unusual(card) -> None:
    common = [card(number, thickness_mm=5.0 if number % 3 else 7.0) for number in range(60)]
    assert not any(one.outlying for one in shown_of(common))
    rare = [card(100 + number, thickness_mm=10.0) for number in range(5)]
    assert {one.card.exam.thickness_mm for one in shown_of([*common, *rare]) if one.outlying} == {10.0}


def test_a_rare_manufacturer_is_compared_with_all(card) -> None:
    many = [card(number, "GE") for number in range(30)]
    shown = shown_of([*many, card(99, "Canon", pixel_mm=0.9), card(98, "Canon")])
    assert exams_of([one for one in shown if one.outlying]) == [99]


def test_few_exams_have_no_outliers_and_unknown_measures_are_none(card) -> None:
    assert not any(one.outlying for one in shown_of([card(1, volume_ml=1.0), card(2)]))
    unknown = [card(number, volume_ml=None, brain_hu=None) for number in range(20)]
    assert not any(one.first for one in shown_of(unknown))


def test_like_exams_make_no_outlier_of_a_small_difference(card) -> None:
    same = [card(number, volume_ml=1400.0, brain_hu=34.0, pixel_mm=0.45, slices=30) for number in range(20)]
    near = card(99, volume_ml=1450.0, brain_hu=35.0, pixel_mm=0.5, slices=33)
    assert not any(one.outlying for one in shown_of([*same, near]))

from collections.abc import Callable
from dataclasses import replace

from nameplate_evaluation.fingerprint.where_it_lives import Fingerprint, Place
from nameplate_evaluation.fingerprint.words import noun_of, sentences


def test_what_stands_out_is_said_with_its_numbers(planted_fingerprint: Fingerprint) -> None:
    header, picture, removed, together, carried, networks = sentences(planted_fingerprint)
    assert header == "The header's texts alone name the manufacturer in every exam (AUROC 1.00)."
    assert picture.startswith(
        "By numbers measured in the picture, the manufacturer can be named in the scanner's own pixels from "
        "padding (1.00), "
    )
    assert "; through the networks' window from field (0.9" in picture
    assert removed.startswith(
        "After the step to NIfTI, padding is no longer there to compare; after the window, surroundings "
    )
    assert "; after leaving the brain alone, " in removed
    assert " field is no longer there to compare." in removed
    assert together.startswith("All of these numbers together reach an AUROC of 1.00 in the scanner's own")
    assert carried == (
        "Most is carried by value outside the circle (by itself 1.00): GE −1024 (25), −3024 (25) HU, "
        "Siemens −2000 (50) HU, in the scanner's own pixels."
    )
    assert networks.startswith("The last features of trained networks name the manufacturer (Find the sphere")
    assert networks.endswith("That a network holds it does not show that its answers rest on it.")


def test_nothing_found_is_said_once(with_measures: Callable[..., object]) -> None:
    header, nothing, networks = sentences(with_measures(0.0).fingerprint())  # type: ignore[attr-defined]
    assert header.startswith("The header's texts do not name the manufacturer beyond chance (AUROC 0.")
    assert nothing == (
        "No group of numbers measured in the picture names the manufacturer beyond chance at any stage "
        "(100 exams, 23 probes)."
    )
    assert networks.startswith("The networks' last features do not name the manufacturer beyond chance (")


def test_what_was_not_probed_is_said(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    assert sentences(made.older().fingerprint(20)) == (  # type: ignore[attr-defined]
        "What gives the manufacturer away was not probed: no measures of this cohort's exams are kept.",
    )
    without = sentences(made.with_features(lambda _, __: None).fingerprint(20))  # type: ignore[attr-defined]
    assert without[-1] == (
        "The networks' last features were not probed: the features of its networks were not kept."
    )
    assert sentences(Fingerprint(())) == ()


def test_what_fades_is_not_said_to_be_taken_away(planted_fingerprint: Fingerprint) -> None:
    (cohort,) = planted_fingerprint.cohorts

    def place(group: str, stage: str, auroc: float | None, p: float | None) -> Place:
        return Place(group=group, stage=stage, exams=80, auroc=auroc, p_family=p)

    before = [place(group, "nifti", 0.7, 0.01) for group in ("tissue", "field", "head")]
    faded = [place("tissue", "windowed", 0.64, 0.06), place("field", "windowed", 0.6, 0.2)]
    for after, said in (
        (
            [*faded, place("head", "windowed", 0.7, 0.01)],
            "After the window, tissue and field are no longer beyond chance. What is no longer beyond chance"
            " may still be there, too weak for this cohort to show.",
        ),
        (
            [*faded[:1], place("head", "windowed", None, None), place("field", "windowed", 0.7, 0.05)],
            "After the window, tissue is no longer beyond chance and head is no longer there to compare. What"
            " is no longer beyond chance may still be there, too weak for this cohort to show.",
        ),
        (
            [place("tissue", "windowed", 0.7, 0.01), place("head", "windowed", 0.7, 0.01)],
            "After the window, field is no longer there to compare.",
        ),
        ([place(one.group, "windowed", 0.7, 0.02) for one in before], None),
    ):
        lines = sentences(Fingerprint((replace(cohort, places=(*before, *after), carriers=()),)))
        assert [line for line in lines if line.startswith("After")] == ([said] if said else [])
        assert not any("take" in line or "remove" in line for line in lines)


def test_several_cohorts_are_told_apart(planted_fingerprint: Fingerprint) -> None:
    (cohort,) = planted_fingerprint.cohorts
    place = Place(group="header", stage="as read", exams=20, auroc=0.97, balanced_accuracy=0.9, p_family=0.01)
    other = replace(cohort, cohort="second", places=(place,), carriers=(), reason="left out: Canon: 3 exams")
    lines = sentences(Fingerprint((cohort, other)))
    assert lines[-2:] == (
        "Cohort second: The header's texts alone name the manufacturer (AUROC 0.97).",
        "Cohort second: Of the levels, some are not probed (left out: Canon: 3 exams).",
    )
    assert all(line.startswith("Cohort study: ") for line in lines[:-2])


def test_fields_have_names() -> None:
    assert noun_of("kernel_class") == "kernel class"
    assert noun_of("scanner room") == "scanner room"


def test_a_title_stands_in_the_middle_of_a_sentence(planted_fingerprint: Fingerprint) -> None:
    (cohort,) = planted_fingerprint.cohorts
    strongest = max(
        (one for one in cohort.carriers if one.group not in ("header", "protocol")), key=lambda one: one.best
    )
    for title, printed in (("Share of the table", "share of the table"), ("HU of CSF", "HU of CSF")):
        changed = replace(cohort, carriers=(replace(strongest, title=title),))
        assert any(f"Most is carried by {printed} (" in line for line in sentences(Fingerprint((changed,))))

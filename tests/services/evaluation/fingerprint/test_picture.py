import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

from nameplate_evaluation.fingerprint.picture import panels
from nameplate_evaluation.fingerprint.where_it_lives import NETWORKS, Fingerprint, Place


def test_every_place_is_a_cell_with_its_number(planted_fingerprint: Fingerprint) -> None:
    (panel,) = panels(planted_fingerprint)
    (cohort,) = planted_fingerprint.cohorts
    assert panel.title == "Where the fingerprint lives, and what each step of the chain removes"
    texts = [text.strip() for text in ElementTree.fromstring(panel.svg).itertext() if text.strip()]
    numbers = [f"{place.auroc:.2f}" for place in cohort.places]
    assert sorted(text for text in texts if re.fullmatch(r"\d\.\d\d", text)) == sorted(numbers)
    for word in ("As read", "NIfTI", "Windowed", "Brain alone", "noise texture", "all measured numbers"):
        assert word in texts
    hatched = panel.svg.count("url(#where-it-lives-study-")
    assert hatched >= sum(not place.named for place in cohort.places)
    assert panels(planted_fingerprint)[0].svg == panel.svg


def test_what_was_not_probed_says_why(planted_fingerprint: Fingerprint) -> None:
    (cohort,) = planted_fingerprint.cohorts
    places = (
        Place(group="tissue", stage="nifti", exams=5, auroc=None, note="too few exams have these numbers"),
        Place(group="padding", stage="nifti", exams=50, auroc=None, note="missing for GE"),
        Place(group="b", stage=NETWORKS, exams=9, auroc=None, note="too few exams (GE: 9 exams, needs 10)"),
        Place(group="spheres <1>", stage=NETWORKS, exams=0, auroc=None, note="were not kept"),
    )
    places += (Place(group="head", stage="nifti", exams=50, auroc=0.5),)
    two = Fingerprint((replace(cohort, places=places), replace(cohort, cohort="other", places=places[:-1])))
    (panel,) = panels(two)
    assert panel.title.endswith("removes, cohort study")
    texts = [text.strip() for text in ElementTree.fromstring(panel.svg).itertext()]
    assert {"no number", "one-sided", "too few", "not kept", "spheres <1>"} <= set(texts)
    assert panels(Fingerprint(())) == ()


def test_a_store_without_measures_and_features_has_no_picture(with_measures: Callable[..., object]) -> None:
    assert panels(with_measures().older().fingerprint(20)) == ()  # type: ignore[attr-defined]

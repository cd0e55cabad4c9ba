"""Cards of scanners: what stands out, bad input, escaping, and the numbers as CSV."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.image.fingerprint.catalogue import BAND_WIDTH, BANDS
from nameplate.image.fingerprint.measure import MEASURES, PICTURE_MEASURES
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate.streams import stream
from nameplate_evaluation.fingerprint.cards import card_link, cards_of
from nameplate_evaluation.fingerprint.scanner import outstanding, scanners_of

BAND_NAMES = [f"noise_band_{round(100 * low):03d}" for low in BANDS]


def exam(number: int, scanner: str = "A", **changes: Any) -> Exam:
    values: dict[str, Any] = {
        "exam": f"e{number:016x}",
        "patient": f"p{number // 2:016x}",
        "image": f"images/e{number:016x}.nii.gz",
        "manufacturer": "GE",
        "model": f"model {scanner}",
        "software": "1",
        "kernel": "STANDARD",
        "institution": "",
        "age": 50.0,
        "sex": "F",
        "kvp": 120.0,
        "exposure_mas": 200.0,
        "thickness_mm": 5.0,
        "gaps_mm": (5.0,),
        "pixel_mm": 0.45,
        "tilt_degrees": 0.0,
        "source_slices": 32,
        "slices": 28,
    }
    return Exam(**(values | changes))


def measured(one: Exam, numbers: Mapping[str, float | None], stage: Any = "as read") -> MeasuredExam:
    return MeasuredExam(exam=one.exam, stage=stage, numbers=dict(numbers))


def cohort(sizes: Mapping[str, int], shift: float = 0.0) -> tuple[list[Exam], list[MeasuredExam]]:
    """Exams of scanners; the noise of scanner A is ``shift`` HU more."""
    exams, rows = [], []
    for scanner, count in sizes.items():
        for _ in range(count):
            one = exam(len(exams), scanner)
            rng = stream(1, "cards", one.exam)
            bands = {name: float(rng.normal(0.1, 0.01)) for name in BAND_NAMES}
            noise = float(rng.normal(4 + shift * (scanner == "A"), 0.3))
            exams.append(one)
            rows.append(measured(one, {"noise_sd": noise, "hu_grey": float(rng.normal(36, 1)), **bands}))
    return exams, rows


def page(files: Mapping[str, bytes], name: str = "study") -> str:
    return files[f"fingerprint/{name}/cards.html"].decode()


def section(text: str, number: int) -> str:
    return text.split(f'id="scanner-{number}"')[1].split("</section>")[0]


def test_scanners_come_by_their_number_of_exams() -> None:
    exams, rows = cohort({"B": 3, "A": 5, "C": 3})
    scanners = scanners_of(exams, rows, "as read")
    assert [scanner.model for scanner in scanners] == ["model A", "model B", "model C"]
    assert [len(scanner.exams) for scanner in scanners] == [5, 3, 3]
    assert scanners[0].patients == 3
    assert scanners[0].name == "GE, model A, kernel STANDARD"


def test_what_stands_out_is_said_with_number_and_unit() -> None:
    exams, rows = cohort({"A": 20, "B": 20}, shift=2.0)
    text = section(page(cards_of("study", exams, rows)), 1)
    found = re.findall(r"<li>(.*?)</li>", text)
    assert found[0].startswith("Noise")
    assert re.search(r"; the others [34]\.\d+ HU, 10 to 90 %: .*standard deviations above\)", found[0])
    assert not any("HU of grey matter" in line for line in found)


def test_nothing_stands_out_of_the_same_scanner_twice() -> None:
    exams, rows = cohort({"A": 60, "B": 60})
    text = page(cards_of("study", exams, rows))
    assert text.count("Nothing: every median") == 2


def test_a_constant_that_differs_stands_out_and_one_that_does_not_does_not() -> None:
    exams = [exam(n, "AB"[n % 2], kvp=100.0 + 20 * (n % 2)) for n in range(20)]
    rows = [measured(one, {"noise_sd": 4.0}) for one in exams]
    one, other = scanners_of(exams, rows, "as read")
    assert [found.measure.name for found in outstanding(one, [other])] == ["kvp"]
    assert outstanding(one, [other])[0].difference is None


def test_the_same_median_does_not_stand_out_because_of_others_that_are_far_away() -> None:
    exams = [exam(n, "AB"[n % 2]) for n in range(24)]
    values = [-3024.0 if n % 2 == 0 or n % 3 else -8192.0 for n in range(24)]
    rows = [measured(one, {"padding_hu": value}) for one, value in zip(exams, values, strict=True)]
    for one, other in (scanners_of(exams, rows, "as read"), scanners_of(exams, rows, "as read")[::-1]):
        assert outstanding(one, [other]) == ()


def test_a_heads_size_never_stands_out() -> None:
    exams = [exam(n, "AB"[n % 2]) for n in range(20)]
    rows = [measured(one, {"brain_ml": 1200.0 + 300 * (n % 2)}) for n, one in enumerate(exams)]
    one, other = scanners_of(exams, rows, "as read")
    assert outstanding(one, [other]) == ()


def test_too_few_exams_on_either_side_and_no_other_scanner() -> None:
    few = page(cards_of("study", *cohort({"A": 20, "B": 4}, shift=5.0)))
    assert few.count("Not looked for: it takes 5 measured exams") == 2
    assert "<li>" not in few
    alone = page(cards_of("study", *cohort({"A": 6})))
    assert "There is no other scanner to compare with." in alone


def test_the_stage_is_said() -> None:
    exams, rows = cohort({"A": 6, "B": 6})
    later = [row.model_copy(update={"stage": "nifti"}) for row in rows]
    assert "the scanner&#x27;s own pixels." in page(cards_of("study", exams, [*later, *rows]))
    assert "the resampled volumes, as no exam" in page(cards_of("study", exams, later))
    assert "3 exams could not be measured there" in page(cards_of("study", exams, [*later, *rows[3:]]))


def test_reasons_stand_where_numbers_are_missing() -> None:
    exams = [exam(n, "AB"[n % 2]) for n in range(12)]
    rows = [
        MeasuredExam(
            exam=one.exam,
            stage="as read",
            numbers=dict.fromkeys(BAND_NAMES, None if n % 2 else 0.1),
            missing=dict.fromkeys(BAND_NAMES, "pixels <too> large") if n % 2 else {},
        )
        for n, one in enumerate(exams)
    ]
    text = section(page(cards_of("study", exams, rows)), 2)
    assert "No noise spectrum: pixels &lt;too&gt; large." in text
    assert "No number: pixels &lt;too&gt; large." in text
    assert "<svg" not in text


def test_the_period_is_the_users_or_not_kept() -> None:
    exams, rows = cohort({"A": 3})
    assert "period not kept: dates do not leave the ingest" in page(cards_of("study", exams, rows))
    years = ("2014", "2011", "2019")
    dated = [
        one.model_copy(update={"fields": {"year": year}}) for one, year in zip(exams, years, strict=True)
    ]
    assert "year 2011 to 2019." in page(cards_of("study", dated, rows))


def test_nothing_measured_gives_no_files() -> None:
    exams, rows = cohort({"A": 3})
    assert cards_of("study", exams, []) == {}
    assert cards_of("study", [], rows) == {}


def test_numbers_and_measures_as_csv() -> None:
    exams, rows = cohort({"A": 3, "B": 2})
    rows.append(measured(exams[0], {"noise_sd": None, "mtf50": 0.25}, "brain alone"))
    files = cards_of("study", exams, rows[::-1], {exams[0].exam: "GE"})
    lines = list(csv.DictReader(io.StringIO(files["fingerprint/study/measures.csv"].decode())))
    assert [(line["exam"], line["stage"]) for line in lines][:2] == [
        (exams[0].exam, "as read"),
        (exams[0].exam, "brain alone"),
    ]
    assert [line["level"] for line in lines] == ["GE", "GE", "", "", "", ""]
    assert float(lines[0]["noise_sd"]) == float(f"{rows[0].numbers['noise_sd']:.6g}")
    assert (lines[1]["noise_sd"], lines[1]["mtf50"]) == ("", "0.25")
    assert {measure.name for measure in PICTURE_MEASURES} <= set(lines[0])
    about = list(csv.DictReader(io.StringIO(files["fingerprint/measures.csv"].decode())))
    assert [line["measure"] for line in about] == [measure.name for measure in MEASURES]
    assert all(line["formula"] and line["group"] and line["version"] for line in about)


def test_the_spectrum_is_a_density() -> None:
    one = exam(0)
    shares = dict.fromkeys(BAND_NAMES, 0.1)
    shares[BAND_NAMES[-1]] = None  # type: ignore[assignment]
    density = scanners_of([one], [measured(one, shares)], "as read")[0].spectra()
    assert density.shape == (1, len(BANDS))
    ring = np.pi * ((BANDS[0] + BAND_WIDTH) ** 2 - BANDS[0] ** 2)
    assert float(density[0, 0]) == 0.1 / ring or abs(float(density[0, 0]) * ring - 0.1) < 1e-12
    assert np.isnan(density[0, -1])


class _Parser(HTMLParser):
    """Which tags are open, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        self.ids += [value for value in [values.get("id")] if value]
        self.targets += [value for value in [values.get("href")] if value]
        if tag not in ("meta", "br", "path", "use", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "use"):
            assert self.open.pop() == tag


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@given(TEXT, TEXT, TEXT)
@settings(max_examples=10, deadline=None)
def test_texts_of_headers_are_escaped(manufacturer: str, model: str, kernel: str) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    changes = {"manufacturer": manufacturer, "model": model + hostile, "kernel": kernel, "software": hostile}
    one = exam(0, **changes)
    files = cards_of("study", [one], [measured(one, dict.fromkeys(BAND_NAMES, 0.1))])
    parser = _Parser()
    parser.feed(page(files))
    assert parser.open == []
    assert "script" not in parser.tags
    # Spreadsheets take no formula from it.
    rows = list(csv.reader(io.StringIO(files["fingerprint/study/measures.csv"].decode())))
    assert not any(cell[:1] in ("=", "+", "@") for row in rows for cell in row)


def test_thirty_scanners_are_linked_from_the_top_and_bytes_do_not_depend_on_order() -> None:
    exams, rows = cohort({f"{n:02d}": 3 for n in range(30)})
    files = cards_of("study", exams, rows)
    parser = _Parser()
    parser.feed(page(files))
    links = [target[1:] for target in parser.targets if target.startswith("#scanner-")]
    assert links == [f"scanner-{n}" for n in range(1, 31)]
    assert set(links) <= set(parser.ids)
    assert len(parser.ids) == len(set(parser.ids))
    assert cards_of("study", exams[::-1], rows[::-1]) == files
    assert card_link("study")[0] in files


def test_exams_that_were_not_measured_and_numbers_that_are_none() -> None:
    exams, rows = cohort({"A": 6, "B": 6})
    rows[0] = measured(exams[0], dict.fromkeys(rows[0].numbers))
    text = page(cards_of("study", exams, rows[:-1]))
    assert "1 exam could not be measured there." in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower()

"""``nameplate audit`` as a user calls it."""

import pytest
from drawn_scores import drawn_rows, write_csv

from nameplate_local.cli import main


def test_the_first_screen_and_the_files(csv_of, tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["audit", str(csv_of(drawn_rows(600, gap=1.0))), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("The network does better on ")
    assert "label label (guessed)" in printed
    assert f"report: {out / 'index.html'}" in printed
    assert {path.name for path in out.iterdir()} == {"index.html", "audit.json", "tables"}
    page = (out / "index.html").read_text()
    for path in (out / "tables").iterdir():
        assert f'href="tables/{path.name}"' in page
    assert "<script" not in page


def test_exams_of_an_ingest_and_other_names_of_columns(csv_of, tmp_path, capsys):
    rows = drawn_rows(300)
    scores = [{"case": row["exam"], "ai": row["score"], "bleed": ["no", "yes"][row["label"]]} for row in rows]
    exams = [{key: row[key] for key in ("exam", "patient", "manufacturer", "age")} for row in rows]
    arguments = [str(csv_of(scores)), "--exams", str(write_csv(tmp_path / "exams.csv", exams))]
    assert main(["audit", *arguments]) == 2
    assert "no column of labels and none of scores found" in capsys.readouterr().err
    assert main(["audit", *arguments, "--columns", "score=ai,label=bleed"]) == 0
    assert "patient patient (guessed)" in capsys.readouterr().out


def test_nothing_to_say_ends_with_2_and_the_reason(csv_of, capsys):
    rows = [row for row in drawn_rows(300) if row["label"] or row["manufacturer"] == "GE"]
    assert main(["audit", str(csv_of(rows))]) == 2
    assert capsys.readouterr().out.startswith(
        "Nothing can be said: fewer than two levels of the manufacturer"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--specificity", "1"], "--specificity: expected a number between 0 and 1 (5 % is 0.05), got 1"),
        (["--prevalence", "0"], "--prevalence"),
        (["--margin", "-1"], "--margin"),
        (["--confidence", "95"], "--confidence"),
        (["--threshold", "nan"], "--threshold: expected a number, got nan"),
        (["--range", "1", "0"], "--range: expected LOW below HIGH"),
        (["--factor", "colour"], "--factor colour: no such column"),
        (["--columns", "score=nothing"], "no column 'nothing'"),
        (["--bins", "age"], "--bins"),
    ],
)
def test_mistakes_are_said_in_one_line(csv_of, capsys, arguments, message):
    assert main(["audit", str(csv_of(drawn_rows(60))), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_with_something_in_it_is_left_alone(csv_of, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    assert main(["audit", str(csv_of(drawn_rows(60))), "--out", str(tmp_path / "full")]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    three = [str(csv_of(drawn_rows(60), f"{n}.csv")) for n in range(3)]
    assert main(["audit", *three]) == 2
    assert "expected one table, or the truth and the scores, got 3" in capsys.readouterr().err


def test_the_service_has_the_same_command(csv_of, monkeypatch, capsys):
    from nameplate_evaluation.cli import main as service

    monkeypatch.setattr("sys.argv", ["nameplate-evaluation", "audit", str(csv_of(drawn_rows(100)))])
    assert service() == 0
    assert "AUROC" in capsys.readouterr().out

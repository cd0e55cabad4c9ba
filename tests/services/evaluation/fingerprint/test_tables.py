from collections.abc import Callable

from nameplate_evaluation.fingerprint.tables import tables
from nameplate_evaluation.fingerprint.where_it_lives import Fingerprint
from nameplate_evaluation.table import csv_bytes


def test_tables_have_what_was_probed(planted_fingerprint: Fingerprint) -> None:
    places, carriers, networks = tables(planted_fingerprint)
    assert {table.section for table in (places, carriers, networks)} == {"fingerprint"}
    (cohort,) = planted_fingerprint.cohorts
    assert len(places.rows) == len(cohort.places)
    first = dict(zip((column.key for column in places.columns), places.rows[0], strict=True))
    assert (first["group"], first["stage"], first["auroc"], first["exams"]) == ("header", "As read", 1.0, 100)
    assert str(first["chance"]).startswith("0.3")
    assert " to 0.6" in str(first["chance"])
    last = dict(zip((column.key for column in places.columns), places.rows[-1], strict=True))
    assert last["stage"] == "Networks' last features"
    assert str(last["note"]).startswith("runs: 2, 0.")
    assert str(last["note"]).endswith("; within class")
    assert [column.label for column in carriers.columns[-2:]] == ["GE", "Siemens"]
    assert [row[3] for row in networks.rows] == ["GE", "Siemens"]
    for row in networks.rows:
        mean, lowest, highest = row[7:10]
        assert isinstance(lowest, float)
        assert isinstance(highest, float)
        assert lowest <= mean <= highest  # type: ignore[operator]
    for table in (places, carriers, networks):
        assert csv_bytes(table)


def test_tables_of_what_was_not_probed(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    # Nothing is known: no table, and so no section of the report.
    assert [table.rows for table in tables(made.older().fingerprint(20))] == [(), (), ()]  # type: ignore
    assert [table.rows for table in tables(Fingerprint(()))] == [(), (), ()]


def test_tables_of_networks_whose_features_were_not_kept(with_measures: Callable[..., object]) -> None:
    made = with_measures().with_features(lambda _, __: None)  # type: ignore[attr-defined]
    places, carriers, networks = tables(made.fingerprint(20))
    assert [row[-1] for row in places.rows[-2:]] == ["the features of its networks were not kept"] * 2
    assert [row[6] for row in networks.rows] == [0, 0]
    # The note says that the best of several are shown.
    assert "best of several" in carriers.note
    assert "too high" in carriers.note

from nameplate_ingest.fields.spelling import Literals, tokens

TABLE = Literals({"one": "Alpha: 16|16 Plus|S+\n~Beta: Two\n=Gamma", "two": "~Beta: Two Plus\nAlpha Nova: X"})


def test_letters_and_numbers_are_words_of_their_own() -> None:
    assert tokens("Alpha16-Plus, S+") == ("alpha", "16", "plus", "s", "+")
    assert tokens("a|b") == ("a", "|", "b")


def test_the_longest_name_is_found() -> None:
    found = TABLE.find("my ALPHA-16 plus thing")
    assert found is not None
    assert (found.owner, found.name, found.start, found.length) == ("one", "Alpha 16 Plus", 1, 3)


def test_a_bar_parts_words() -> None:
    found = TABLE.find("alpha | 16")
    assert found is not None
    assert found.name == "Alpha"


def test_marked_rows() -> None:
    assert TABLE.find("beta") is None
    assert TABLE.find("beta blue") is None
    assert TABLE.find("gamma ray") is None
    found = TABLE.find("Gamma")
    assert found is not None
    assert found.name == "Gamma"


def test_the_owner_asked_for_comes_first() -> None:
    names = {owner: TABLE.find("beta two plus", owner) for owner in ("one", "two", None)}
    assert [found and found.name for found in names.values()] == [
        "Beta Two",
        "Beta Two Plus",
        "Beta Two Plus",
    ]


def test_a_name_within_a_longer_one_has_no_owner() -> None:
    assert TABLE.owners("beta two plus") == {"two"}
    assert TABLE.owners("alpha 16 and beta two plus") == {"one", "two"}
    assert TABLE.owners("delta") == frozenset()

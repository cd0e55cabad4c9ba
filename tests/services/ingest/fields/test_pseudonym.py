import re

from nameplate_ingest.fields.pseudonym import Pseudonyms, in_shard


def test_form_and_key() -> None:
    one, other = Pseudonyms(b"a" * 16), Pseudonyms(b"b" * 16)
    name = one.of("p", "PATIENT")
    assert re.fullmatch("p[0-9a-f]{16}", name)
    assert name == one.of("p", "PATIENT")
    assert name != other.of("p", "PATIENT")
    assert name[1:] != one.of("e", "PATIENT")[1:]
    assert one.of("s", "ab", "c") != one.of("s", "a", "bc")


def test_the_key_never_shows() -> None:
    assert "secretsecret" not in repr(Pseudonyms(b"secretsecretsecret"))


def test_every_exam_is_in_one_shard() -> None:
    names = [Pseudonyms(b"k" * 16).of("e", str(n)) for n in range(400)]
    counts = [sum(in_shard(name, (part, 4)) for name in names) for part in range(4)]
    assert sum(counts) == 400
    assert min(counts) > 60

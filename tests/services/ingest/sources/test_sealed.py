"""What one process of the ingest tells another: only the key opens it, and nobody can change it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.errors import DamagedObject
from nameplate_ingest.sources.sealed import seal, unseal

KEY = b"a key for these tests"


@given(st.binary(max_size=200))
def test_what_is_sealed_comes_back_and_is_the_same_every_time(data: bytes) -> None:
    sealed = seal(data, KEY, "listing")
    assert unseal(sealed, KEY, "listing") == data
    assert seal(data, KEY, "listing") == sealed
    assert len(data) < 4 or data not in sealed


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    sealed = bytearray(seal(b"the name of a patient", KEY, "listing"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(DamagedObject, match="was not sealed with this key"):
        unseal(bytes(sealed), KEY, "listing")


@pytest.mark.parametrize(("key", "purpose"), [(b"another key", "listing"), (KEY, "other")])
def test_another_key_or_purpose_does_not_open_it(key: bytes, purpose: str) -> None:
    with pytest.raises(DamagedObject):
        unseal(seal(b"data", KEY, "listing"), key, purpose)


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 16])
def test_bytes_that_were_never_sealed(data: bytes) -> None:
    with pytest.raises(DamagedObject):
        unseal(data, KEY, "listing")

"""What one process of the ingest tells another through the store: only the key opens it, or makes it."""

import hashlib
import hmac

from Crypto.Cipher import AES

from nameplate.errors import DamagedObject

_TAG_BYTES = 16


def seal(data: bytes, key: bytes, purpose: str) -> bytes:
    """Encrypted and authenticated under the key of the pseudonyms (AES-256-SIV, RFC 5297).

    The same data gives the same bytes, as everything that a job writes; that is what this mode is for. What
    is sealed for one purpose cannot be opened for another one.
    """
    cipher = AES.new(_key(key, purpose), AES.MODE_SIV)
    sealed, tag = cipher.encrypt_and_digest(data)
    return bytes(tag + sealed)


def unseal(data: bytes, key: bytes, purpose: str) -> bytes:
    """What was sealed; DamagedObject for other bytes, and for those of another key."""
    cipher = AES.new(_key(key, purpose), AES.MODE_SIV)
    try:
        return bytes(cipher.decrypt_and_verify(data[_TAG_BYTES:], data[:_TAG_BYTES]))
    except ValueError:
        raise DamagedObject(f"{purpose}: was not sealed with this key, or was changed since") from None


def _key(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, f"nameplate sealed {purpose}".encode(), hashlib.sha512).digest()

"""The object store: a directory or S3, behind one small interface."""

from nameplate.store.open import open_store
from nameplate.store.store import NoStore, NoSuchKey, Store, check_key

__all__ = ["NoStore", "NoSuchKey", "Store", "check_key", "open_store"]

"""The object store: a directory or S3, behind one small interface."""

from nameplate.store.store import NoStore, NoSuchKey, Store, check_key, open_store

__all__ = ["NoStore", "NoSuchKey", "Store", "check_key", "open_store"]

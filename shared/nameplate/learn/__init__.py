"""Packed datasets and what learning needs of them; no torch here."""

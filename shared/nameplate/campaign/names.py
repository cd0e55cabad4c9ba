"""Names that a campaign file uses without defining them."""

ORIGINAL, SKULL = "original", "skull"
"""Datasets beside those of the difficulties."""
MIXED = "mixed"
"""The training set of all levels of the factor."""

"""Zip and tar archives, read where they are and believed in nothing that they say of themselves."""

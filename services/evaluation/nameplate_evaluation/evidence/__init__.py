"""The evidence sheet: what was stated before, whether it was met, and what guidelines ask of a report."""

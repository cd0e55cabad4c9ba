"""The evidence sheet: what was stated before, whether it was met, and where each guideline's item is answered."""

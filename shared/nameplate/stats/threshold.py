"""Where a score is cut unless somebody says otherwise; apart, since every process reads it at its start."""

THRESHOLD = 0.5
"""A score at or above this counts as positive."""

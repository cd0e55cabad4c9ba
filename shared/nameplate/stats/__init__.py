"""Metrics of predictions, the influence of each exam on them, and tests over runs and patients."""

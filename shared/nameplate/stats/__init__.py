"""Metrics, resampling and tests on predictions."""

"""Packed datasets: what synthesis writes and training reads; no torch."""

"""Learning: packed datasets, networks, the loop, checkpoints, predictions, verdicts."""

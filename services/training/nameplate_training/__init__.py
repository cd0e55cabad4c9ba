"""Networks, the training loop, its checkpoints and verdicts."""

"""Networks, the training loop, checkpoints and assessments."""

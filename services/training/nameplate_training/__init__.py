"""Networks, the training loop, checkpoints, assessments, selections and predictions."""

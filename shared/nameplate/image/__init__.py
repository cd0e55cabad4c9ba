"""Images: arrays with their affine, and geometry as pure functions."""

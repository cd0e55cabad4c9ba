"""Images: arrays that travel with their affine, and geometry as pure functions."""

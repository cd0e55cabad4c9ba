"""Spheres of known size, place and contrast inside real brains."""

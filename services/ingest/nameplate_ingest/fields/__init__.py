"""What single elements mean: words, people, makers, models, kernels, ages. Nothing here reads a file."""

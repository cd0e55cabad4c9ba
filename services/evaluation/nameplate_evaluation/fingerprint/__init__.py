"""What gives the level of the factor away, and where in the chain from the scanner to the network."""

"""What tells scanners apart in a head CT, measured at every stage of the chain."""

"""Which slices belong to one volume, and how they become one."""

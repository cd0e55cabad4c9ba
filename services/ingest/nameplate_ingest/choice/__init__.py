"""Which series is a plain head: the witnesses, the values, the picture, and the rules that choose."""

"""nameplate: how much does the scanner's manufacturer bias a head-CT network?"""

__version__ = "0.1.0"

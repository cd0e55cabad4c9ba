"""``python -m nameplate``."""

import sys

from nameplate.cli import main

if __name__ == "__main__":  # the runner's processes import this module too
    sys.exit(main())

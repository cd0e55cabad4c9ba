"""``python -m nameplate_local``."""

import sys

from nameplate_local.cli import main

if __name__ == "__main__":  # the runner's processes import this module too
    sys.exit(main())

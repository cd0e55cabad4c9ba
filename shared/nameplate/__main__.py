"""``python -m nameplate``: the command line, found by name where it is installed."""

import runpy

runpy.run_module("nameplate_local", run_name="__main__", alter_sys=True)

"""One module per step: its settings, its jobs, what it writes, its records, its memory and time.

A step's module knows nothing about the code that does the work: that is in the step's service, in the
function ``<step>`` of ``<step>_step.py``.
"""

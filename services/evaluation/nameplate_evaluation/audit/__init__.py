"""An audit of any model: a table of its scores held against the scanners that the exams came from."""

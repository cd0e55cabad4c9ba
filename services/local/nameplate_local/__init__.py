"""The command line, and a runner for the processes of one machine."""

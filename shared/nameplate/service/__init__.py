"""What every service's process does around its work: arguments, logs, exit codes."""

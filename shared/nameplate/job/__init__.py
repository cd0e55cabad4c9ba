"""One job: what it reads and writes, the record that commits it, and what is committed."""

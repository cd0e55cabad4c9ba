"""What an ingest writes: images, accounts, and what it has done so far."""

"""What a scanner leaves in the picture of a head, as numbers with units. All pure."""

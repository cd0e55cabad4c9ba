"""From a campaign to its jobs, their order, their chunks and their cost; pure."""

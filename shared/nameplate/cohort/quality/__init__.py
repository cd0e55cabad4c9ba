"""Pages for people who look through a cohort, and what was lost of it by manufacturer. All pure."""

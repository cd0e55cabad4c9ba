"""Where exams come from: one module a kind of source."""

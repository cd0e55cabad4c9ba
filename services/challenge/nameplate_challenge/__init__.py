"""Lesions of known size planted in a user's own exams, and what a user's own model finds of them."""

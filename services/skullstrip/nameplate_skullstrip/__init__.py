"""The intracranial mask of a non-contrast head CT."""

"""``nameplate census``: what a source has and what could be shown with it, before a pixel moves."""

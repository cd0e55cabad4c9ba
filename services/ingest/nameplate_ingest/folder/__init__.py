"""The folder of files that comes in: what is in it, and the masks beside it."""

"""The folder of files that comes in, and the folder that goes out."""

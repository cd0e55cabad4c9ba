"""Volumes in files of their own: NIfTI, NRRD and MetaImage, read without trusting their headers."""

"""Simulated head-CT studies, written as genuine DICOM."""

"""DICOM in: series selection, geometry, de-identification, NIfTI and a ledger out."""

"""One DICOM file: its elements, its frames, its pixels, and what it says, as typed values."""

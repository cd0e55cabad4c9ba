"""Values that nobody expects in a DICOM file."""

from tests.services.ingest.dicom_parts import BIG_ENDIAN, DEFLATED, IMPLICIT, LONG_VRS, UNDEFINED

SYNTAXES = (
    *(IMPLICIT, DEFLATED, BIG_ENDIAN, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.3", ""),
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 100, 201)),
)
VRS = (
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH"),
    *(b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US", *LONG_VRS, b"??", b"us", b"\0\0", b"\xff\xff"),
)
LENGTHS = (0, 1, 2, 7, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, UNDEFINED)
TEXTS = (
    *(b"", b" ", b"\0\0", b"nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e309", b"1e-308", b"-0", b"0"),
    *(b"-1", b"1", b"3", b"0.05", b"1000", b"-1000", b"99999", b"1e5", b"0x10", b"1_000", b"1,5", b"+-3"),
    *(b"1\\2\\3", b"0\\0\\0", b"nan\\nan\\nan", b"1e308\\-1e308\\1e308", b"\\" * 40, b"1\\0\\0\\0\\1\\0"),
    *(b"0\\1\\0\\1\\0\\0", b"1\\0\\0\\0\\0\\1", b"1e200\\0\\0\\0\\1e200\\0", b"0.5\\0.5", b"10\\0.05"),
    *(
        b"x" * 10_000,
        b"\xc3\xa4\xc3\xb6\xe6\xbc\xa2",
        b"\xff\xfe\x00",
        b"\x1b$B4A;z\x1b(B",
        b"\x1b[31m\a\b\n",
    ),
    *(b"HEAD", b"ABDOMEN", b"DERIVED\\SECONDARY", b"CT", b"MR", b"GE MEDICAL SYSTEMS", b"999Y", b"-01Y"),
    *(b"19000230", b"99999999", b"240000.0", b"ISO 2022 IR 87", b"ISO_IR 192", b"\\ISO 2022 IR 149"),
    *(b"{}%s%n$(x)", b"<script>", b"../../x", b"\xed\xa0\x80", b"9" * 400, b"1" + b"0" * 3999 + b".0"),
    *(b"HEAD " * 2000, b"A1_" * 3000, b"19" * 4000, b"^" * 3000, b"1.1-" * 2000, b"\xe5\xa4\xb4" * 1300),
)
NUMBERS = (0, 1, 2, 7, 8, 11, 12, 15, 16, 17, 31, 32, 33, 63, 65, 128, 512, 2048, 2049, 32768, 65535)
WIDE = (0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103)
"""Samples, rows, columns, bits and sign: what decides how much memory the pixels take."""
FRAMES = 0x00280008
MANY = (b"0", b"-1", b"1", b"2", b"19", b"21", b"20000", b"20001", b"65536", b"2147483647", b"1e9", b"nan")

"""Software versions of CT scanners: the forms that may leave ingest, each a maker's own way to count."""

import re
from functools import cache, lru_cache

# The name of the group tells the maker, where the form is one maker's alone. Matched in lower case. Examples,
# from headers of public collections: 07MW18.4, 08MW41.3_SP1.V40, gmp_vct.42, sles_hde.198, revo_ct_22bc.50,
# coreload.118, LightSpeedApps405I.2_H4.0M5 (GE); VA48A, syngo CT 2012B, syngo CT VB20A_SP4 (Siemens);
# V4.86ER012, V8.30SP0018 (Canon); 3.5.5.25010, 4.1 (Philips and others). Numbers alone are kept short enough
# that they hold no date, no network address and no serial number.
_FORMS = (
    r"(?P<GE>\d\d[mh]w\d\d\.\d{1,2}(?:_sp\d(?:-\d)?)?(?:\.v\d\d)?(?:_h_h\d\d)?(?:_g_gtl)?"
    r"|(?:gmp|sles)_(?:vct|hde|vcth)\.\d{1,3}|revo_ct_\d\d[a-z]{0,2}\.\d{1,3}|coreload\.\d{1,3}"
    r"|lightspeedverrel|lightspeedapps\d{1,3}i?(?:\.\d){1,3}i?(?:_h\d{1,2}(?:\.\d)?m\d)?)",
    r"(?P<Siemens>syngo ct (?:20[012]\d[a-z]\d?|v[a-g]\d\d[a-z]\d?(?:_sp\d{1,2}[a-z]?)?)"
    r"|syngo mi\.pet/ct 20[012]\d[a-z]|somaris/\d{1,2} v[a-g]\d\d[a-z]\d?)",
    r"(?P<Canon>v\d{1,2}\.\d{1,2}(?:er|sp)\d{3,4})",
    r"(?P<any>v[a-g]\d\d[a-z]\d?(?:_sp\d{1,2}[a-z]?)?"
    r"|(?:syngo )?v?(?:\d\.\d\.\d\.\d{3,5}|\d\.\d\.\d|\d{1,2}\.\d{1,2}))",
)
_PLAIN = re.compile(r"[0-9]\.[0-9]{1,2}")
_SPELLINGS = (
    ("syngo ct ", "syngo CT "),
    ("syngo mi.pet/ct ", "syngo MI.PET/CT "),
    ("syngo ", "syngo "),
    ("lightspeedapps", "LightSpeedApps"),
)
"""How the beginning of a form is spelt; what follows it is in capitals."""
_LOWER = ("gmp", "sles", "revo", "coreload")


@lru_cache(maxsize=1024)
def known_software(value: str) -> str:
    """The part of the value that has the form of a software version, in one spelling; '' if none has.

    >>> known_software("VA48A 20190305"), known_software("SYNGO CT 2012B"), known_software("20190305")
    ('VA48A', 'syngo CT 2012B', '')
    """
    if _PLAIN.fullmatch(value):
        return value
    form = _form().search(_plain(value))
    if form is None:
        return ""
    version = form[0]
    if version == "lightspeedverrel":
        return "LightSpeedverrel"
    if version.startswith(_LOWER):
        return version
    for beginning, spelt in _SPELLINGS:
        if version.startswith(beginning):
            return spelt + version.removeprefix(beginning).upper()
    return version.upper()


def maker_of_software(value: str) -> str | None:
    """The manufacturer whose scanners alone count their versions in this way, if one does."""
    form = _form().search(_plain(value))
    return form.lastgroup if form and form.lastgroup != "any" else None


@cache
def _form() -> re.Pattern[str]:
    """Compiled when first needed: many a study's version is a plain number."""
    return re.compile(rf"(?<![^\W_])(?<![.,/:-])(?:{'|'.join(_FORMS)})(?![^\W_])(?![.,/:-][^\W_])", re.ASCII)


def _plain(value: str) -> str:
    return " ".join(value.casefold().replace("\\", " | ").split())

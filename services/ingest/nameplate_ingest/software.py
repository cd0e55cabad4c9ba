"""Software versions of CT scanners: the forms that may leave ingest, each a maker's own way to count."""

import re
from functools import lru_cache

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
    r"(?P<Canon>v\d{1,2}\.\d{2}(?:er|sp)\d{3,4})",
    r"(?P<any>v[a-g]\d\d[a-z]\d?(?:_sp\d{1,2}[a-z]?)?"
    r"|(?:syngo )?v?(?:\d\.\d\.\d\.\d{3,5}|\d\.\d\.\d|\d{1,2}\.\d{1,2}))",
)
_FORM = re.compile(rf"(?<![^\W_])(?<![.,/:-])(?:{'|'.join(_FORMS)})(?![^\W_])(?![.,/:-][^\W_])", re.ASCII)
_SPELLINGS = (
    (re.compile(r"^syngo ct (.+)"), lambda form: f"syngo CT {form[1].upper()}"),
    (re.compile(r"^syngo mi\.pet/ct (.+)"), lambda form: f"syngo MI.PET/CT {form[1].upper()}"),
    (re.compile(r"^syngo (.+)"), lambda form: f"syngo {form[1].upper()}"),
    (re.compile(r"^lightspeedverrel$"), lambda _: "LightSpeedverrel"),
    (re.compile(r"^lightspeedapps(.+)"), lambda form: f"LightSpeedApps{form[1].upper()}"),
    (re.compile(r"^(?:gmp|sles|revo|coreload).+"), lambda form: form[0]),
)


@lru_cache(maxsize=1024)
def known_software(value: str) -> str:
    """The part of the value that has the form of a software version, in one spelling; '' if none has.

    >>> known_software("VA48A 20190305"), known_software("SYNGO CT 2012B"), known_software("20190305")
    ('VA48A', 'syngo CT 2012B', '')
    """
    form = _FORM.search(_plain(value))
    if form is None:
        return ""
    for pattern, spell in _SPELLINGS:
        if found := pattern.match(form[0]):
            return spell(found)
    return form[0].upper()


def maker_of_software(value: str) -> str | None:
    """The manufacturer whose scanners alone count their versions in this way, if one does."""
    form = _FORM.search(_plain(value))
    return form.lastgroup if form and form.lastgroup != "any" else None


def _plain(value: str) -> str:
    return " ".join(value.casefold().replace("\\", " | ").split())

"""Names of scanner manufacturers as headers spell them, and the one name each gets here."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from nameplate_ingest.fields.table import read_table

# How a name starts, after everything but letters and digits is removed; it may follow other words. Firms that
# were bought go under the buyer's name where their scanners do: Elscint's CT went to Picker, Picker became
# Marconi and then Philips (whose scanners still write Elscint's private elements); Imatron went to GE;
# Hitachi's medical business became Fujifilm Healthcare. Yokogawa (YMS) and Hangwei are GE's joint ventures.
_STARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("GE", ("gemedical", "gemedsys", "gehealth", "gehangwei", "gehualun", "geyokogawa", "geyms", "gecgr")),
    (
        "GE",
        ("generalelectric", "gegemedical", "geprecision", "igemedical", "gesystems", "imatron", "通用电气"),
    ),
    ("GE", ("yokogawamedical", "gemsystems", "航卫通用")),
    ("Siemens", ("siemens", "西门子", "西門子")),
    (
        "Philips",
        ("philips", "pickerint", "pickercorp", "pickermed", "marconimed", "elscint", "飞利浦", "飛利浦"),
    ),
    ("Canon", ("toshiba", "canonmed", "canonmec", "东芝", "東芝", "佳能", "キヤノン")),
    ("Hitachi", ("hitachi", "fujifilmhealthcare", "日立")),
    ("Neusoft", ("neusoft", "东软", "東軟")),
    ("United Imaging", ("unitedimaging", "shanghaiunitedimaging", "联影", "上海联影", "聯影")),
    ("NeuroLogica", ("neurologica", "samsungneurologica", "samsung")),
    ("Shimadzu", ("shimadzu", "岛津", "島津")),
    ("Anke", ("shenzhenanke", "ankehightech", "ankehitech", "ankemed", "安科", "深圳安科")),
    ("MinFound", ("minfound", "明峰")),
    ("SinoVision", ("sinovision", "赛诺威盛")),
    ("Kangda", ("kangda", "shanghaikangda")),
    ("WDM", ("wandong", "beijingwandong", "万东")),
    ("Mediso", ("mediso",)),
)
# Short names, and names that people have too: only as the whole name or as the whole of a part of it.
_WHOLE = {
    **dict.fromkeys(("ge", "gems", "gehc", "yms", "ige", "gecgr", "geyms", "gect", "gechina"), "GE"),
    **dict.fromkeys(("picker", "marconi", "pms"), "Philips"),
    **dict.fromkeys(("canon", "canoninc"), "Canon"),
    **{"nms": "Neusoft", "uih": "United Imaging", "anke": "Anke", "wdm": "WDM", "uihcorp": "United Imaging"},
}
OWN_WORKSTATIONS = (
    *("advantagew", "centricity", "geiis", "intellispace", "isite", "leonardo", "magicview", "sienet"),
    *("syngomm", "syngoplaza", "syngovia", "vitrea", "volumeviewer", "extendedbrilliance"),
)
"""Workstations and archives of the scanners' makers, which take in other makers' images."""
_PARTS = re.compile(r"[/|;,()\[\]]|\s[-+]\s")
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def named(name: str) -> tuple[str, ...]:
    """Every manufacturer whose name the text holds, sorted; 'GE / MIM Software' holds one.

    A workstation of a manufacturer's own (Centricity, syngo.via, IntelliSpace) names nobody: it takes in the
    images of all.
    """
    found = set()
    for part in _PARTS.split(name):
        words = _WORD.findall(part.casefold())
        tails = ["".join(words[start:]) for start in range(len(words))]
        if any(tail.startswith(OWN_WORKSTATIONS) for tail in tails):
            return ()
        if tails and tails[0] in _WHOLE:
            found.add(_WHOLE[tails[0]])
            continue
        found |= {maker for maker, starts in _STARTS if any(tail.startswith(starts) for tail in tails)}
    return tuple(sorted(found))


def normalise(name: str) -> str | None:
    """The manufacturer's one name, or None for an unknown or empty name, or one that names two.

    >>> normalise("GE MEDICAL SYSTEMS"), normalise("Siemens Healthineers"), normalise("TOSHIBA")
    ('GE', 'Siemens', 'Canon')
    """
    makers = named(name)
    return makers[0] if len(makers) == 1 else None


def read_manufacturers(path: Path) -> dict[str, str]:
    """Manufacturers by study (StudyInstanceUID or name of its folder) from a CSV; raises UserError."""
    table = read_table(path, ("manufacturer",), gaps=False)
    return {study: told["manufacturer"] for study, told in table.items()}


def manufacturer_table(manufacturers: Mapping[str, str]) -> dict[str, str]:
    """The user's list of manufacturers by study, each with its one name; empty ones are left out."""
    table = {study.strip(): normalise(name) or name.strip() for study, name in manufacturers.items()}
    return {study: name for study, name in table.items() if name}

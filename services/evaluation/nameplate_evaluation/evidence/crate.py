"""The report as an RO-Crate: its files, and which software made them from which settings.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1). The crate's day is the one on which the campaign was stated:
the report itself knows no clock, so that the same results give the same bytes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from nameplate.campaign import Campaign
from nameplate_evaluation.metrics_file import json_bytes

METADATA = "ro-crate-metadata.json"
FORMATS = {
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "md": "text/markdown",
    "png": "image/png",
}
DESCRIBED = {
    "index.html": "The report: the answer, what it rests on, what it does not show, and every table.",
    "metrics.json": "All numbers of the report.",
    "predictions.csv": "What every kept run predicts for every exam, exams under pseudonyms.",
    "provenance.json": "The campaign's settings, versions and digests.",
    "evidence/index.html": "What was stated before, whether it was met, and where guidelines are answered.",
    "evidence/model-card.md": "The networks on two pages.",
}


def crate(campaign: Campaign, provenance: Mapping[str, str], files: Mapping[str, bytes]) -> bytes:
    """``ro-crate-metadata.json`` for these files, by path; the same files give the same bytes."""
    software = {
        "@id": "#nameplate",
        "@type": "SoftwareApplication",
        "name": "nameplate",
        "version": provenance.get("nameplate", ""),
    }
    libraries = [
        {"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "version": version}
        for name, version in provenance.items()
        if name != "nameplate" and " " not in name
    ]
    run = {
        "@id": "#campaign",
        "@type": "CreateAction",
        "name": f"campaign {campaign.name}, seed {campaign.seed}",
        "instrument": {"@id": "#nameplate"},
        "object": {"@id": "provenance.json"},
        "result": [{"@id": name} for name in sorted(files)],
        "identifier": provenance.get("campaign digest", ""),
    }
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": campaign.title,
        "description": f"Report of the nameplate campaign {campaign.name}.",
        "license": "Not stated: the report belongs to those who ran the campaign.",
        "hasPart": [{"@id": name} for name in sorted(files)],
        "mentions": {"@id": "#campaign"},
    }
    if campaign.stated_on is not None:
        root["datePublished"] = campaign.stated_on
        root["description"] += " Its date is the day on which the campaign was stated."
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        root,
        run,
        {**software, "softwareRequirements": [{"@id": one["@id"]} for one in libraries]},
        *libraries,
        *(_file(name, files[name]) for name in sorted(files)),
    ]
    document = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json_bytes(document)


def _file(name: str, data: bytes) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "@id": name,
        "@type": "File",
        "name": name,
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    if kind := FORMATS.get(name.rpartition(".")[2]):
        entity["encodingFormat"] = kind
    if name in DESCRIBED:
        entity["description"] = DESCRIBED[name]
    return entity

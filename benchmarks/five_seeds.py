"""Whether the demo finds its planted difference, and finds nothing where there is none, seed by seed.

    python benchmarks/five_seeds.py [--seeds 1 2 3 4 5] [--store FOLDER]

Runs the demo's sphere experiment on its study cohort and its null control, and once more on the study
cohort with every dial at 0, and prints what the report claims. With the dials at 0 twins would be the same
bytes, so there every exam has a head of its own, and no other null is needed. Forty minutes on two cores;
what is done is not done again.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

DEMO = Path(__file__).parent.parent / "campaigns" / "demo.yaml"


def campaign(seed: int, *, planted: bool) -> dict[str, Any]:
    """The demo's file with one experiment, another seed, and the dials as they are or at 0."""
    settings: dict[str, Any] = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    settings["name"] = f"seed-{seed}-{'planted' if planted else 'null'}"
    settings["seed"] = seed
    settings["experiments"] = [one for one in settings["experiments"] if one["name"] == "spheres"]
    named = settings["experiments"][0]["cohorts"]
    settings["cohorts"] = {name: cohort for name, cohort in settings["cohorts"].items() if name in named}
    if not planted:
        settings["cohorts"] = {"study": settings["cohorts"]["study"]}
        settings["experiments"][0]["cohorts"] = ["study"]
        phantom = settings["cohorts"]["study"]["phantom"]
        phantom.update(signature=0, twins=False)
        phantom.pop("effects", None)
    return settings


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--store", type=Path, default=Path("runs"))
    arguments = parser.parse_args()
    nameplate = Path(sys.executable).with_name("nameplate")
    print("| seed | difference | advantage, AUROC points | growth | null control | claim |")
    print("|---|---|---|---|---|---|")
    for planted in (True, False):
        for seed in arguments.seeds:
            settings = campaign(seed, planted=planted)
            store = arguments.store / settings["name"]
            store.mkdir(parents=True, exist_ok=True)
            file = arguments.store / f"{settings['name']}.yaml"
            file.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
            subprocess.run([nameplate, "run", file, "--store", store], check=True, stdout=subprocess.DEVNULL)
            found = json.loads((store / "report" / "metrics.json").read_text(encoding="utf-8"))["claim"]
            controls = [_span(one["advantage"]) for one in found["null_controls"].values()]
            print(
                f"| {seed} | {'planted' if planted else 'none'} | {_span(found['auroc']['advantage'])} |"
                f" {_span(found['auroc']['growth'])} | {', '.join(controls) or '-'} | {found['kind']} |",
                flush=True,
            )


def _span(one: dict[str, Any]) -> str:
    return f"{100 * one['mean']:+.1f} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"


if __name__ == "__main__":
    main()

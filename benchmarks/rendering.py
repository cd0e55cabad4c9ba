"""How long `helm template` takes with the chart's defaults and with each example: the best of three.

python benchmarks/rendering.py
"""

import shutil
import subprocess
import time
from pathlib import Path

CHART = Path(__file__).parents[1] / "charts" / "nameplate"


def main() -> None:
    """A line for each values file."""
    if shutil.which("helm") is None:
        print("no helm program on PATH")
        return
    for values in (None, *sorted((CHART / "examples").glob("*.yaml"))):
        command = ["helm", "template", "nameplate", str(CHART), *([f"--values={values}"] if values else [])]
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - began)
        print(f"{values.stem if values else 'defaults':25} {min(taken):.2f} s")


if __name__ == "__main__":
    main()

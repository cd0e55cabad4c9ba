"""The demo campaign from nothing: wall time, peak memory, and the figures that it must reach.

    python benchmarks/demo.py [--campaign campaigns/demo.yaml] [--workers 2]

Runs the campaign into a temporary store and reads its metrics; the peak is that of all processes
together, sampled twice a second (resident memory; shared pages count once a process).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def resident_mib(root: int) -> float:
    """Resident memory of a process and all its descendants."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        parents[int(folder.name)] = int(fields["PPid"])
        sizes[int(folder.name)] = int(fields.get("VmRSS", "0 kB").split()[0])
    total = 0
    for pid, size in sizes.items():
        ancestor = pid
        while ancestor not in (0, 1, root):
            ancestor = parents.get(ancestor, 0)
        total += size if ancestor == root else 0
    return total / 1024


def main() -> None:
    """Run and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaign", default="campaigns/demo.yaml")
    parser.add_argument("--workers", default="2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        command = [sys.executable, "-m", "nameplate_local", "run", options.campaign, "--store", str(store)]
        command += ["--workers", options.workers]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, resident_mib(process.pid))
            time.sleep(0.5)
        seconds = time.perf_counter() - began
        print(f"exit code {process.returncode}, {seconds / 60:.1f} min, peak memory {peak:.0f} MiB")
        began = time.perf_counter()
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        print(f"a second run: {time.perf_counter() - began:.1f} s: {again.stdout.splitlines()[0]}")
        metrics = json.loads((store / "report" / "metrics.json").read_text())
        print(json.dumps(metrics.get("answer", metrics), indent=1)[:4000])


if __name__ == "__main__":
    main()

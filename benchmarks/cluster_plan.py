"""Planning a campaign of thousands of jobs for a cluster: seconds, and bytes of what the workflow holds.

python benchmarks/cluster_plan.py
"""

import importlib.util
import json
import tempfile
import time
from pathlib import Path

from nameplate.job.state import current_state
from nameplate.plan.pipeline import STEPS
from nameplate.store import open_store
from nameplate_cluster.plan_step import outputs_of
from nameplate_cluster.pools import Pool

ROOT = Path(__file__).parents[1]


def main() -> None:
    spec = importlib.util.spec_from_file_location("scale", ROOT / "tests/contract/test_scale.py")
    assert spec is not None
    assert spec.loader is not None
    scale = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scale)
    campaign = scale.large_campaign()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"{folder}/store")
        began = time.perf_counter()
        state = current_state(campaign, store, {})
        outputs = outputs_of(
            campaign,
            state,
            (Pool(name="default"),),
            only=tuple(step.name for step in STEPS),
            target_seconds=30,
            most=scale.MOST,
        )
        seconds = time.perf_counter() - began
    chunks = sum(len(json.loads(text)) for text in outputs.values())
    largest = max(outputs.values(), key=len)
    print(f"jobs known from the start   {len(state.plan.jobs):>8,}")
    print(f"planned in                  {seconds:>8.2f} s (directory store, nothing done yet)")
    print(f"chunks and arms           {chunks:>8,}")
    print(f"largest parameter           {len(largest):>8,} bytes (limit 256,000)")


if __name__ == "__main__":
    main()

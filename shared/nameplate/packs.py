"""Packs in the store: fetched for a job as local, memory-mapped files."""

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.packed import Pack, open_pack


def fetch_pack(context: JobContext, cohort: str, experiment: str, dataset: str) -> Pack:
    """The pack that the job's ``pack`` step committed, memory-mapped."""
    prefix = keys.packed(cohort, experiment, dataset, "")
    paths = {
        output.key.removeprefix(prefix): context.fetch(output.key)
        for output in context.inputs
        if output.key.startswith(prefix)
    }
    window = context.campaign.experiment(experiment).input.window
    return open_pack(
        images=paths["images.npy"], masks=paths.get("masks.npy"), samples=paths["samples.jsonl"], window=window
    )

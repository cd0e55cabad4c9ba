"""Packs in the store: fetched for a job as local, memory-mapped files."""

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.packed import Pack, open_pack
from nameplate.records import Sample, from_jsonl


def fetch_pack(context: JobContext, cohort: str, experiment: str, dataset: str) -> Pack:
    """The pack that the job's ``pack`` step committed, memory-mapped."""
    prefix = keys.packed(cohort, experiment, dataset, "")
    paths = {
        output.key.removeprefix(prefix): context.fetch(output.key)
        for output in context.inputs
        if output.key.startswith(prefix)
    }
    samples = from_jsonl(Sample, paths["samples.jsonl"].read_bytes())
    return open_pack(paths["images.npy"], paths.get("masks.npy"), samples)

"""Where everything lies in the store: the only place that spells keys."""


def dicom(cohort: str, shard: int) -> str:
    """Simulated studies of one shard, as a tar."""
    return f"cohorts/{cohort}/dicom/{shard:03d}.tar"


def truth(cohort: str, shard: int) -> str:
    """What the simulation knows of one shard, as a tar."""
    return f"cohorts/{cohort}/truth/{shard:03d}.tar"


def image(cohort: str, exam: str) -> str:
    """The ingested volume of an exam, HU."""
    return f"cohorts/{cohort}/images/{exam}.nii.gz"


def exams(cohort: str, shard: int) -> str:
    """Exam rows of one shard."""
    return f"cohorts/{cohort}/exams/{shard:03d}.jsonl"


def ledger(cohort: str, shard: int) -> str:
    """Ledger rows of one shard: every series and every refused file."""
    return f"cohorts/{cohort}/ledger/{shard:03d}.jsonl"


def mask(cohort: str, exam: str) -> str:
    """The intracranial mask of an exam."""
    return f"cohorts/{cohort}/masks/{exam}.nii.gz"


def mask_reports(cohort: str, shard: int) -> str:
    """MaskReport rows of one shard."""
    return f"cohorts/{cohort}/mask-reports/{shard:03d}.jsonl"


def members(cohort: str) -> str:
    """Member rows: the matched and split cohort."""
    return f"cohorts/{cohort}/members.jsonl"


def refusals(cohort: str) -> str:
    """Refusal rows: exams that did not enter the cohort."""
    return f"cohorts/{cohort}/refusals.jsonl"


def dataset_image(cohort: str, dataset: str, exam: str) -> str:
    """An image of a dataset; only those that differ from the dataset it starts from."""
    return f"datasets/{cohort}/{dataset}/images/{exam}.nii.gz"


def dataset_mask(cohort: str, dataset: str, exam: str) -> str:
    """A mask cut to the dataset's slices."""
    return f"datasets/{cohort}/{dataset}/masks/{exam}.nii.gz"


def samples(cohort: str, dataset: str, shard: int) -> str:
    """Sample rows of one shard of a dataset."""
    return f"datasets/{cohort}/{dataset}/samples/{shard:03d}.jsonl"


def dataset_refusals(cohort: str, dataset: str, shard: int) -> str:
    """Refusal rows of one shard of a dataset."""
    return f"datasets/{cohort}/{dataset}/refusals/{shard:03d}.jsonl"


def packed(cohort: str, experiment: str, dataset: str, file: str) -> str:
    """One of the files of a dataset packed for an experiment."""
    return f"packs/{cohort}/{experiment}/{dataset}/{file}"


def run(cell: str, seed: int, file: str) -> str:
    """One of the files of a training run."""
    return f"models/{cell}/s{seed:03d}/{file}"


def selection(cell: str, number: int) -> str:
    """The judge's verdict after a round."""
    return f"models/{cell}/selection-r{number:02d}.json"


def test_predictions(cell: str, seed: int) -> str:
    """Predictions of a kept run on the test split."""
    return run(cell, seed, "predictions-test.jsonl")


def report(file: str) -> str:
    """A file of the report."""
    return f"report/{file}"

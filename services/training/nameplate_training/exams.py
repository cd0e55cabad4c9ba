"""The exams that a run learns from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from nameplate.pack.arm_exams import arm_exams
from nameplate.pack.packed import Pack
from nameplate.steps.training import TrainingJob
from nameplate.streams import stream, stream_seed

Group = tuple[str, int]
"""A level of the factor and a label."""


def training_rows(job: TrainingJob, pack: Pack) -> tuple[int, ...]:
    """Rows of the pack that the run learns from: all of its arm's levels, or as many as the arm says.

    The choice is the run's own, so that the spread of a cell's runs holds the choice of exams; runs of
    one number choose alike in all tasks of a cohort. It takes as many exams of each level as possible,
    and of each label its share in the level. Raises CohortError when there are fewer exams than wanted.
    """
    rows = pack.rows("train", job.arm.levels)
    by_level = Counter(pack.samples[row].level for row in pack.rows("train"))
    wanted = arm_exams(job.arm, by_level, experiment=job.cell.experiment, cohort=job.cell.cohort)
    return rows if wanted == len(rows) else _drawn(job, pack, rows, wanted)


def _drawn(job: TrainingJob, pack: Pack, rows: Sequence[int], wanted: int) -> tuple[int, ...]:
    cell = job.cell
    # Without the dataset: tasks are compared on the same exams.
    names = ("training exams", cell.experiment, cell.cohort, cell.training_set, cell.group, job.seed)
    groups: dict[Group, list[int]] = {}
    for row in rows:
        groups.setdefault((pack.samples[row].level, pack.samples[row].label), []).append(row)
    # In a random order, so that what does not divide falls to no level more often than to others.
    random = stream(job.campaign_seed, *names)
    levels = [str(level) for level in random.permutation(sorted({level for level, _ in groups}))]
    labels = [int(label) for label in random.permutation(sorted({label for _, label in groups}))]
    counts = group_counts({group: len(members) for group, members in groups.items()}, wanted, levels, labels)
    chosen: list[int] = []
    for group, members in groups.items():
        # A lot for each exam by its name: an exam that one task lacks changes no other exam's lot.
        lots = {row: stream_seed(job.campaign_seed, *names, pack.samples[row].exam) for row in members}
        chosen += sorted(members, key=lots.__getitem__)[: counts[group]]
    return tuple(sorted(chosen))


def group_counts(
    sizes: Mapping[Group, int], wanted: int, levels: Iterable[str], labels: Sequence[int]
) -> dict[Group, int]:
    """How many exams to take of each level and label, ``wanted`` in all.

    Levels get the same number, as far as they have it; within a level each label gets its share. What
    does not divide goes to the earlier level, and to the label that all levels so far owe the most.

    >>> group_counts({("A", 0): 5, ("A", 1): 5, ("B", 0): 5, ("B", 1): 5}, 6, ["A", "B"], [0, 1])
    {('A', 0): 2, ('A', 1): 1, ('B', 0): 1, ('B', 1): 2}
    """
    there = {level: sum(sizes.get((level, label), 0) for label in labels) for level in levels}
    counts: dict[Group, int] = {}
    owed = dict.fromkeys(labels, Fraction(0))
    for level, quota in _level_counts(there, wanted).items():
        shares = {
            label: Fraction(quota * sizes.get((level, label), 0), max(there[level], 1)) for label in labels
        }
        for label, share in shares.items():
            counts[level, label] = int(share)
            owed[label] += share - int(share)
        left = quota - sum(map(int, shares.values()))
        divided = [label for label, share in shares.items() if share > int(share)]
        for label in sorted(divided, key=owed.__getitem__, reverse=True)[:left]:
            counts[level, label] += 1
            owed[label] -= 1
    return counts


def _level_counts(there: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Equal parts of ``wanted``; what a level lacks is shared by the others."""
    counts = dict.fromkeys(there, 0)
    for _ in range(wanted):
        spare = [level for level in there if counts[level] < there[level]]
        counts[min(spare, key=counts.__getitem__)] += 1
    return counts

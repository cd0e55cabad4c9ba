"""Who is scanned on what: the head and the manufacturer of each study, and the studies of each shard.

Every study has a head of its own, unless heads are scanned as twins: then each head is scanned once by
every manufacturer, in studies that follow each other.
"""

from nameplate.campaign.sources.phantom import PhantomSettings


def head_number(settings: PhantomSettings, number: int) -> int:
    """The head that study ``number`` shows."""
    return number // len(settings.manufacturers) if settings.twins else number


def manufacturer_of(settings: PhantomSettings, number: int) -> str:
    """The manufacturer, by its normalised name, on whose machine study ``number`` is made."""
    return settings.manufacturers[number % len(settings.manufacturers)]


def study_folder(settings: PhantomSettings, number: int) -> str:
    """Where the files of study ``number`` are: a folder a head, and in it one a study."""
    head = head_number(settings, number)
    earlier = number % len(settings.manufacturers) if settings.twins else 0
    return f"P{head:05d}/ST{earlier + 1}"


def studies_of_shard(settings: PhantomSettings, *, shard: int, shards: int) -> tuple[int, ...]:
    """The studies of one of ``shards`` shards: heads are dealt in turn, with all their studies."""
    every = range(settings.exams)
    return tuple(number for number in every if head_number(settings, number) % shards == shard)

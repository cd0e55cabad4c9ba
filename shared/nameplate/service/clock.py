"""A span of time as a person reads it."""


def clock(seconds: float) -> str:
    """h:mm:ss, or m:ss below an hour.

    >>> clock(3725.4)
    '1:02:05'
    """
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rough(seconds: float) -> str:
    """As ``clock``; of three days and more the days alone.

    >>> rough(3725.4), rough(15_227_868)
    ('1:02:05', '176 days')
    """
    days = round(seconds / 86400)
    return f"{days} days" if days >= 3 else clock(seconds)

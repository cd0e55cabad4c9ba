"""Fields that belong to one level of a factor by what they are: no choice of exams tells them apart."""

from nameplate.campaign.factor import FactorSettings

_BY_NATURE = {
    ("manufacturer", "model"): "a model is made by one manufacturer",
    ("manufacturer", "software"): "a software version is one manufacturer's",
    ("manufacturer", "kernel"): "the names of kernels are each manufacturer's own",
    ("model", "manufacturer"): "a model is made by one manufacturer",
    ("software", "manufacturer"): "a software version is one manufacturer's",
    ("kernel", "manufacturer"): "the names of kernels are each manufacturer's own",
    ("kernel", "kernel_class"): "the class is read from the kernel's name",
    ("kernel_class", "kernel"): "the class is read from the kernel's name",
    ("tilt_degrees", "absolute_tilt_degrees"): "it is the same without its sign",
    ("absolute_tilt_degrees", "tilt_degrees"): "it is the same with its sign",
}
"""Why, by factor and field. Of the fields themselves, whichever exams a campaign has.

Model and software version are not among them: models of one manufacturer share versions, and one scanner
gets several in its life. That they hardly overlap is a matter of the exams, and they may be matched.
"""


def nested_reason(factor: FactorSettings, field: str) -> str:
    """Why the field's values belong to the factor's by nature; empty if they could be those of all levels.

    A factor of groups is nested in a field only as far as its groups are: with kernels in two groups, a
    manufacturer may have kernels of both.
    """
    if factor.groups is not None and field == "manufacturer":
        return ""
    return _BY_NATURE.get((factor.name, field), "")


def is_other_name(factor: FactorSettings, field: str) -> bool:
    """Whether the field is the factor itself, which the table leaves out."""
    return field == factor.name

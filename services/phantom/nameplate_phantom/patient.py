"""A simulated patient: identity for the header, age, sex, and the measures of the head."""

import datetime
from dataclasses import dataclass

import numpy as np

# Invented names, unlikely to occur elsewhere, so that a search for them finds every leak.
FAMILY = (
    "Zellmark",
    "Quistorpe",
    "Vandrelyk",
    "Ombrasier",
    "Thistlequay",
    "Krähwinckel",
    "Yarrowgate",
    "Dunsprock",
    "Felzenmoor",
    "Ixworthy",
    "Jørnstad",
    "Wexhollow",
    "Pemberquist",
    "Ruddlecombe",
    "Abendrothal",
    "Lévêcquois",
)
GIVEN = {
    "F": ("Ottiline", "Sunnivah", "Perpetria", "Marisolde", "Ysoldine", "Gwendrith", "Célestrine"),
    "M": ("Barthelow", "Evandrius", "Lysandrew", "Osmundo", "Thaddeon", "Wilfredric", "Joaquimo"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Patient:
    """The person who was scanned, and when."""

    name: str
    """Family^Given, as in DICOM."""
    identifier: str
    sex: str
    """F or M."""
    age: int
    """Years, 18 to 90."""
    born: datetime.date
    scanned: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Measures of one head; lengths in mm, values in HU."""

    volume_ml: float
    """Intracranial volume that the head is scaled to."""
    grey_hu: float
    white_hu: float
    csf_hu: float
    atrophy: float
    """0 (young) to about 1 (very old): widens sulci, cisterns and ventricles."""
    ventricles: float
    """Scale of the ventricles; about 1 in middle age."""
    leukoaraiosis_hu: float
    """How much darker the white matter is beside the ventricles."""
    skull_mm: float
    scalp_mm: float
    sinuses: float
    """Scale of the paranasal sinuses."""
    stretch: tuple[float, float, float]
    """Proportions of the head along x, y and z."""
    pineal_hu: float
    """0 when not calcified."""
    choroid_hu: float
    fillings: int
    """Metal fillings in the teeth, which cast streaks below the brain."""
    turn_degrees: tuple[float, float, float]
    """Pose: nod, roll and rotation about x, y and z."""
    shift_mm: tuple[float, float, float]
    """Pose: offset of the head's centre from the isocentre, LPS."""


def draw_patient(
    rng: np.random.Generator, number: int, *, mean_age: float, sd_age: float, male_share: float
) -> Patient:
    """Draw age, sex and an identity that cannot be mistaken for a real person's.

    ``number`` is the patient's, and makes the identity unique.
    """
    sex = "M" if rng.random() < male_share else "F"
    age = mean_age + sd_age * rng.standard_normal()
    while not 18 <= age <= 90:
        age = mean_age + sd_age * rng.standard_normal()
    scanned = datetime.datetime(2012, 1, 1) + datetime.timedelta(minutes=int(rng.integers(8 * 365 * 24 * 60)))
    born = scanned.date() - datetime.timedelta(days=int(age) * 365.25 + int(rng.integers(5, 360)))
    family = FAMILY[int(rng.integers(len(FAMILY)))]
    given = GIVEN[sex][int(rng.integers(len(GIVEN[sex])))]
    return Patient(
        name=f"{family}^{given}",
        identifier=f"NPX{number:05d}-{int(rng.integers(10**6)):06d}",
        sex=sex,
        age=int(age),
        born=born,
        scanned=scanned,
    )


def draw_anatomy(rng: np.random.Generator, patient: Patient) -> Anatomy:
    """Draw the measures of a head of this age and sex."""
    mean, spread = (1470.0, 95.0) if patient.sex == "M" else (1320.0, 85.0)
    years = (patient.age - 18) / 72
    atrophy = float(np.clip(0.08 + 0.75 * years**1.8 + 0.10 * rng.standard_normal(), 0.03, 1.1))
    stretch = np.exp(rng.normal(0.0, 0.022, 3))
    turns = np.clip(rng.normal(0.0, (5.0, 2.5, 3.0)), -12, 12)
    shifts = np.clip(rng.normal(0.0, (4.0, 6.0, 0.1)), -12, 12)
    return Anatomy(
        volume_ml=float(np.clip(rng.normal(mean, spread), 1175, 1680)),
        grey_hu=float(rng.uniform(36.5, 39.0)),
        white_hu=float(rng.uniform(27.0, 30.0)),
        csf_hu=float(rng.uniform(4.0, 10.0)),
        atrophy=atrophy,
        ventricles=float((0.78 + 0.5 * atrophy) * np.exp(0.10 * rng.standard_normal())),
        leukoaraiosis_hu=float(6.0 * max(0.0, years - 0.45) * rng.random()),
        skull_mm=float(np.clip(rng.normal(6.3, 0.7), 4.8, 8.2)),
        scalp_mm=float(np.clip(rng.normal(5.5, 1.0), 3.5, 8.5)),
        sinuses=float(np.clip(rng.normal(1.0, 0.14), 0.7, 1.3)),
        stretch=(float(stretch[0]), float(stretch[1]), float(stretch[2])),
        pineal_hu=float(rng.uniform(120, 300)) if rng.random() < 0.25 + 0.45 * years else 0.0,
        choroid_hu=float(rng.uniform(120, 260)) if rng.random() < 0.10 + 0.45 * years else 0.0,
        fillings=int(rng.integers(1, 4)) if rng.random() < 0.06 else 0,
        turn_degrees=(float(turns[0]), float(turns[1]), float(turns[2])),
        shift_mm=(float(shifts[0]), float(shifts[1]), float(shifts[2])),
    )

"""One simulated study: patient, head, scanner, and the files of every series."""

import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.volume import Volume, nifti_bytes
from nameplate.streams import stream
from nameplate_phantom.dataset import Visit
from nameplate_phantom.dicom import Values, decimal, file_bytes
from nameplate_phantom.effects import biased
from nameplate_phantom.head import Head, build_head
from nameplate_phantom.machine import Machine, draw_machine
from nameplate_phantom.patient import Anatomy, Patient, draw_anatomy, draw_patient
from nameplate_phantom.roster import head_number, manufacturer_of, study_folder
from nameplate_phantom.scanner import catalogue
from nameplate_phantom.series import Scene, bone_series, localizer, soft_series
from nameplate_phantom.skull import FORAMEN_Z
from nameplate_phantom.stack import Stack, stack_slices

_WINDOW_SOFT, _WINDOW_BONE = (80, 40), (2500, 500)


@dataclass(frozen=True, kw_only=True)
class StudyTruth:
    """What was simulated, for tests and for checking what later steps make of it."""

    number: int
    head: int
    """Number of the simulated head: its own for every study, or one for a set of twins."""
    patient_id: str
    patient_name: str
    study_uid: str
    folder: str
    """Folder of the study's files, below the output folder."""
    manufacturer: str
    """Normalised name of the manufacturer."""
    age: int
    sex: str
    volume_ml: float
    """Intracranial volume of the simulated head, from the dura down to the foramen magnum."""
    machine: Machine
    anatomy: Anatomy


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything drawn for one study, before anything is simulated."""

    visit: Visit
    manufacturer: str
    anatomy: Anatomy
    isocentre: tuple[float, float, float]
    """LPS mm."""


def plan_study(settings: PhantomSettings, *, seed: int, cohort: str, number: int) -> Plan:
    """Draw patient, anatomy and scanner of study ``number``; ``roster.py`` says which head it shows.

    All streams are named by the head, so that what twins differ by is the work of the dials alone.
    """
    head, manufacturer = head_number(settings, number), manufacturer_of(settings, number)
    names = ("phantom", cohort, head)
    patient = _patient(settings, stream(seed, *names, "patient"), head, manufacturer)
    anatomy = draw_anatomy(stream(seed, *names, "anatomy"), patient)
    machine = draw_machine(settings, seed=seed, cohort=cohort, head=head, manufacturer=manufacturer)
    x, y, z = stream(seed, *names, "isocentre").uniform((-12, -20, -300), (12, 20, 900))
    visit = Visit(seed=seed, cohort=cohort, number=number, head=head, patient=patient, machine=machine)
    return Plan(
        visit=visit,
        manufacturer=manufacturer,
        anatomy=anatomy,
        isocentre=(round(x, 1), round(y, 1), round(z, 1)),
    )


def _patient(settings: PhantomSettings, rng: np.random.Generator, head: int, manufacturer: str) -> Patient:
    """The patient of this head: of the manufacturer's own population, or, as twins, of all of them."""
    makers = settings.manufacturers if settings.twins else (manufacturer,)
    about = catalogue().patients_of(makers)
    return draw_patient(rng, head, mean_age=about.mean_age, sd_age=about.sd_age, male_share=about.male_share)


def grid_step(matrix: int) -> float:
    """Voxel size of the simulation in mm: 1 mm from 256 pixels on, coarser below."""
    return float(np.clip(256.0 / matrix, 1.0, 2.0))


def head_of(plan: Plan, settings: PhantomSettings) -> Head:
    """The head of this study."""
    visit = plan.visit
    names = ("phantom", visit.cohort, visit.head, "head")
    return build_head(visit.seed, names, plan.anatomy, plan.isocentre, grid_step(settings.matrix))


def _stack(
    plan: Plan, head: Head, settings: PhantomSettings, gaps_mm: tuple[float, float], shift_mm: float
) -> Stack:
    machine = plan.visit.machine
    x, y, _ = plan.isocentre
    off_x, off_y = machine.field_off_mm
    return stack_slices(
        centre=(x + off_x, y + off_y),
        low=head.place((0.0, 29.0, FORAMEN_Z - 11.0)) + np.array([0.0, 0.0, shift_mm]),
        high=head.top(machine.tilt_degrees) + np.array([0.0, 0.0, 5.0]),
        base=head.place((0.0, 20.0, -22.0)),
        gaps_mm=gaps_mm,
        tilt_degrees=machine.tilt_degrees,
        matrix=settings.matrix,
        field_mm=machine.field_mm,
    )


def study_files(plan: Plan, head: Head, settings: PhantomSettings) -> Iterator[tuple[str, bytes]]:
    """Every file of the study as (path below the study's folder, bytes), one file per slice."""
    visit, machine = plan.visit, plan.visit.machine
    names = ("phantom", visit.cohort, visit.head)
    rng = stream(visit.seed, *names, "contents")
    has_localizer, has_capture, has_report, has_bone, lateral, colour, reverse = (
        bool(u < share) for u, share in zip(
            rng.random(7), (0.95, 0.15, 0.12, settings.bone_share, 0.5, 0.6, 0.5), strict=True
        )
    )  # fmt: skip
    shift = float(rng.uniform(-3, 3))
    x, y, z = head.grid.axes()
    # The back of the head; the holder is behind it.
    middle = slice(int(len(z) * 0.45), int(len(z) * 0.8), 4)
    back = float(y[np.flatnonzero((head.hu[middle] > -500).any(axis=(0, 2)))[-1]])
    scene = Scene(biased(head, machine.bias, plan.anatomy.fillings), head.grid, float(head.centre[0]), back)

    if has_localizer:
        middle_mm = np.array([axis.mean() for axis in (x, y, z)], dtype=np.float64)
        pixel = 300.0 / settings.matrix
        for instance, side in enumerate((False, True) if lateral else (False,), start=1):
            picture = localizer(scene, settings.matrix, pixel, lateral=side)
            data = visit.localizer(1, picture, pixel, middle_mm, lateral=side, instance=instance)
            yield f"S001/{instance:04d}.dcm", file_bytes(data)

    thin_only = machine.soft_mm < 5.0
    soft_stack = _stack(plan, head, settings, machine.gaps_mm, shift)
    header = machine.header
    description = header.thin if thin_only else header.soft
    series = visit.slices(2, description, header.soft_kernel, soft_stack, _WINDOW_SOFT)
    middle_slice: NDArray[np.integer[Any]] | None = None
    index = 0
    for part in soft_series(scene, machine, soft_stack, stream(visit.seed, *names, "noise")):
        for pixels in part:
            if index == len(soft_stack.heights) // 2:
                middle_slice = pixels
            yield _slice_path(2, index), series.encode(_values(visit, soft_stack, 2, index, reverse), pixels)
            index += 1

    if has_bone:
        stack = _stack(plan, head, settings, (settings.thin_mm, settings.thin_mm), shift)
        series = visit.slices(3, header.bone, header.bone_kernel, stack, _WINDOW_BONE)
        index = 0
        for part in bone_series(scene, machine, stack, stream(visit.seed, *names, "bone noise")):
            for pixels in part:
                yield _slice_path(3, index), series.encode(_values(visit, stack, 3, index, reverse), pixels)
                index += 1

    if has_capture and middle_slice is not None:
        hu = middle_slice.astype(np.float32) + machine.padding.intercept
        grey = (np.clip(hu, 0, 80) * (255 / 80)).astype(np.uint8)
        capture = np.repeat(grey[:, :, None], 3, axis=2) if colour else grey
        if colour:
            capture[: settings.matrix // 12, :, 2] = 120
        yield "S004/0001.dcm", file_bytes(visit.capture(4, capture))
    if has_report:
        yield "S005/0001.dcm", file_bytes(visit.dose_report(5, machine.mas * 0.19))


def _slice_path(series: int, index: int) -> str:
    return f"S{series:03d}/{index + 1:04d}.dcm"


def _values(visit: Visit, stack: Stack, series: int, index: int, reverse: bool) -> Values:
    """The elements of one slice; some scanners count from the top down."""
    count = len(stack.heights)
    at = visit.patient.scanned + datetime.timedelta(seconds=60 * series, milliseconds=350 * index)
    time = at.strftime("%H%M%S.%f")
    x, y, z = stack.positions()[index]
    number = count - index if reverse else index + 1
    return {
        (0x0008, 0x0018): ("UI", visit.uid("image", series, index)),
        (0x0008, 0x0032): ("TM", time),
        (0x0008, 0x0033): ("TM", time),
        (0x0018, 0x0050): ("DS", decimal(float(stack.thickness[index]))),
        (0x0020, 0x0013): ("IS", str(number)),
        (0x0020, 0x0032): ("DS", f"{decimal(x)}\\{decimal(y)}\\{decimal(z)}"),
        (0x0020, 0x1041): ("DS", decimal(float(stack.heights[index]))),
    }


def truth_files(truth: StudyTruth, head: Head) -> Iterator[tuple[str, bytes]]:
    """The files in truth/ for one study: noise-free HU, intracranial mask, parameters."""
    affine = head.grid.affine_ras()
    hu = np.rint(head.hu).astype(np.int16)
    yield "hu.nii.gz", nifti_bytes(Volume(head.grid.to_ras(hu), affine))
    mask = head.intracranial.astype(np.uint8)
    yield "intracranial.nii.gz", nifti_bytes(Volume(head.grid.to_ras(mask), affine))
    values = {name: value for name, value in vars(truth).items() if name not in ("machine", "anatomy")}
    values |= {"machine": truth.machine.parameters(), "anatomy": asdict(truth.anatomy)}
    yield "parameters.json", (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


def simulate_study(
    settings: PhantomSettings, *, seed: int, cohort: str, number: int, out: Path
) -> StudyTruth:
    """Simulate one study and write it below ``out``; it depends only on settings, seed, cohort and number.

    Files are named ``out/P00042/ST1/S002/0001.dcm``, the patient's folder by the head; with
    ``settings.truth`` there is also ``out/truth/P00042/ST1``. Raises UserError for a manufacturer without a
    simulated scanner.
    """
    plan = plan_study(settings, seed=seed, cohort=cohort, number=number)
    head = head_of(plan, settings)
    patient = plan.visit.patient
    truth = StudyTruth(
        number=number,
        head=plan.visit.head,
        patient_id=patient.identifier,
        patient_name=patient.name,
        study_uid=plan.visit.uid("study"),
        folder=study_folder(settings, number),
        manufacturer=plan.manufacturer,
        age=patient.age,
        sex=patient.sex,
        volume_ml=head.volume_ml,
        machine=plan.visit.machine,
        anatomy=plan.anatomy,
    )
    _write(out / truth.folder, study_files(plan, head, settings))
    if settings.truth:
        _write(out / "truth" / truth.folder, truth_files(truth, head))
    return truth


def _write(folder: Path, contents: Iterator[tuple[str, bytes]]) -> None:
    for name, data in contents:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

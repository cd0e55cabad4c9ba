"""The step ``fingerprint`` on a committed shard: the rows of the ingest, and those of the later stages."""

from pathlib import Path

from tests.services.fingerprint.scene import head

from nameplate.image.fingerprint.catalogue import STAGES
from nameplate.image.volume import nifti_bytes, read_nifti_bytes
from nameplate.image.window import Window
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.fingerprint import MEASURED, FingerprintJob
from nameplate.steps.ingest import AS_READ, EXAMS, IMAGE, Exam
from nameplate.steps.measured import MeasuredExam, as_record
from nameplate.steps.skullstrip import MASK
from nameplate.store import open_store
from nameplate_fingerprint.fingerprint_step import fingerprint
from nameplate_fingerprint.stages import measured_stages

WINDOW = Window(width=80, level=40)


def _exam(name: str) -> Exam:
    return Exam(
        exam=name, patient="p", image="", manufacturer="GE", model="", software="", kernel="",
        institution="", age=None, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0,
        gaps_mm=(5.0,), pixel_mm=2.5, tilt_degrees=0.0, source_slices=16, slices=16,
    )  # fmt: skip


def test_every_exam_has_a_row_a_stage(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    earlier = Outputs("earlier", store, tmp_path, lambda: False)
    exams = {"e0": head(0), "e1": head(1)}
    for name, (image, mask) in exams.items():
        earlier.write(IMAGE.key(cohort="study", exam=name), nifti_bytes(image))
        earlier.write(MASK.key(cohort="study", exam=name), nifti_bytes(mask))
    EXAMS.write(earlier, [_exam(name) for name in exams], cohort="study", shard=0)
    as_read = [
        MeasuredExam(exam=name, stage="as read", numbers={"noise_sd": 5.0}) for name in reversed(exams)
    ]
    AS_READ.write(earlier, as_read, cohort="study", shard=0)
    result = Result(job="earlier", digest="d", code="0", outputs=earlier.written)
    outputs = Outputs("fingerprint", store, tmp_path, lambda: False)
    job = FingerprintJob(cohort="study", shard=0, window=WINDOW)
    fingerprint(job, Inputs(store, {"earlier": result}, None, tmp_path), outputs)

    done = Result(job="fingerprint", digest="d", code="0", outputs=outputs.written)
    rows = MEASURED.read(Committed(store, {"fingerprint": done}), cohort="study", shard=0)
    assert [(row.exam, row.stage) for row in rows] == [(name, stage) for name in exams for stage in STAGES]
    assert rows[0] == as_read[1]
    # As a file has them: it holds places in single precision.
    image, mask = (read_nifti_bytes(nifti_bytes(volume)) for volume in exams["e1"])
    again = [as_record("e1", stage, numbers) for stage, numbers in measured_stages(image, mask, WINDOW)]
    assert rows[5:] == again

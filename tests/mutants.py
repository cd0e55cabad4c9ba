#!/usr/bin/env python3
"""Change one line of the product at a time and see its test fail: tests/mutants.py [WORD ...]

A *mutant* is the product with one line changed so that it breaks one promise. It is *caught* when the test
file that holds this promise fails, and has survived when all tests pass: the promise is then held by
nothing. Each mutant is a copy of shared/ and services/ in a temporary folder; the tests are the ones here,
which import the copy because PYTHONPATH comes before what pip has installed. Before, every test file must
pass on a copy without a change: only then does a failure mean anything.

With words, only the mutants whose promise or files have one of them are made. Exit code 1 when one
survives, when a line is not found exactly once, or when a test file fails without a change.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("shared", "services")
PROCESSES = 2
SECONDS = 300
"""Of one test file, after which a mutant counts as caught: it waits for something that never comes."""
FAILED = 1
"""What pytest returns when tests ran and some failed; anything else says nothing about a promise."""


@dataclass(frozen=True)
class Mutant:
    """One line that is changed, and who must notice."""

    promise: str
    """What the line holds."""
    file: str
    """Below the root."""
    line: str
    """A part of the file that stands there exactly once."""
    instead: str
    test: str
    """The test file that must fail, below tests/."""


JOB, STEPS, SERVICE = "shared/nameplate/job", "shared/nameplate/steps", "shared/nameplate/service"
CLUSTER, EVALUATION = "services/cluster/nameplate_cluster", "services/evaluation/nameplate_evaluation"
STORE, PLAN, COHORT = "shared/nameplate/store", "shared/nameplate/plan", "shared/nameplate/cohort"
STATS = "shared/nameplate/stats"
INGEST, INGEST_TESTS = "services/ingest/nameplate_ingest", "services/ingest"

MUTANTS = (
    # Only plain heads, nothing lost without a word.
    Mutant(
        "a named agent refuses",
        f"{INGEST}/choice/witnesses.py",
        'return Opinion("contrast elements", "refuses", "contrast", seen)',
        'return Opinion("contrast elements", "nothing", "contrast", seen)',
        f"{INGEST_TESTS}/choice/test_witnesses.py",
    ),
    Mutant(
        "values that are not HU refuse",
        f"{INGEST}/choice/witnesses.py",
        'yield Opinion("units", "refuses", "units", "values are not in HU")',
        'yield Opinion("units", "nothing", "units", "values are not in HU")',
        f"{INGEST_TESTS}/choice/test_witnesses.py",
    ),
    Mutant(
        "a doubt refuses",
        f"{INGEST}/choice/select.py",
        'if one.says == "doubts":',
        'if one.says == "never":',
        f"{INGEST_TESTS}/choice/test_select.py",
    ),
    Mutant(
        "several passes over one place are no plain head",
        f"{INGEST}/choice/witnesses.py",
        "if times > 1 or facts.passes > 2:",
        "if times > 1:",
        f"{INGEST_TESTS}/choice/test_witnesses.py",
    ),
    Mutant(
        "a block that crosses another is another pass",
        f"{INGEST}/volume/passes.py",
        "if not _crossing(block, volume):",
        "if True:",
        f"{INGEST_TESTS}/volume/test_group.py",
    ),
    Mutant(
        "people are told apart before stacking",
        f"{INGEST}/volume/group.py",
        "contradict(a.person, b.person) or",
        "",
        f"{INGEST_TESTS}/volume/test_group.py",
    ),
    Mutant(
        "a broken copy gives way to a whole one",
        f"{INGEST}/volume/copies.py",
        "used = whole or broken",
        "used = broken or whole",
        f"{INGEST_TESTS}/volume/test_copies.py",
    ),
    Mutant(
        "a field that was moved is no tilt",
        f"{INGEST}/volume/series.py",
        "np.median(steps, axis=0)",
        "np.mean(steps, axis=0)",
        f"{INGEST_TESTS}/volume/test_series.py",
    ),
    Mutant(
        "a filler makes no patient of many",
        f"{INGEST}/fields/person.py",
        "if not is_placeholder(person.id):",
        "if person.id:",
        f"{INGEST_TESTS}/fields/test_person.py",
    ),
    # What a digest holds.
    Mutant(
        "a digest holds the settings",
        f"{JOB}/result.py",
        '"settings": job.settings.text,',
        '"settings": None,',
        "contract/test_digests.py",
    ),
    Mutant(
        "a digest holds what the job reads",
        f"{JOB}/result.py",
        '"needs": {need: results[need].fingerprint for need in job.needs},',
        '"needs": {},',
        "shared/job/test_current.py",
    ),
    Mutant(
        "a digest holds the step's version",
        f"{JOB}/result.py",
        '"version": step_named(job.step).version,',
        '"version": 0,',
        "shared/job/test_current.py",
    ),
    Mutant(
        "a fingerprint holds the keys",
        f"{JOB}/result.py",
        "[[output.key, output.sha256] for output in self.outputs]",
        "[[output.sha256] for output in self.outputs]",
        "shared/job/test_current.py",
    ),
    Mutant(
        "a fingerprint holds the content",
        f"{JOB}/result.py",
        "[[output.key, output.sha256] for output in self.outputs]",
        "[[output.key] for output in self.outputs]",
        "shared/job/test_run.py",
    ),
    Mutant(
        "settings that a digest would leave out are refused",
        f"{STEPS}/step.py",
        "if info.exclude:",
        "if False:",
        "shared/steps/test_step.py",
    ),
    Mutant(
        "a serializer is refused",
        f"{STEPS}/step.py",
        "for name in (*decorators.field_serializers, *decorators.model_serializers):",
        "for name in ():",
        "shared/steps/test_step.py",
    ),
    Mutant(
        "a digest holds what a subclass of settings adds",
        f"{STEPS}/step.py",
        'model_dump(mode="json", serialize_as_any=True)',
        'model_dump(mode="json")',
        "shared/steps/test_step.py",
    ),
    Mutant(
        "a digest holds the order of a mapping",
        f"{STEPS}/step.py",
        "serialize_as_any=True), allow_nan=False)",
        "serialize_as_any=True), allow_nan=False, sort_keys=True)",
        "shared/steps/test_step.py",
    ),
    Mutant(
        "the settings of a step fit its scope",
        f"{STEPS}/step.py",
        "if not issubclass(self.settings, wanted):",
        "if False:",
        "shared/steps/test_step.py",
    ),
    Mutant(
        "a report does not depend on where source files are",
        f"{STEPS}/report.py",
        'return campaign.model_copy(update={"cohorts": cohorts})',
        "return campaign",
        "shared/steps/test_report.py",
    ),
    Mutant(
        "Original's first level is the campaign's first",
        f"{STEPS}/synthesis.py",
        "first_level=campaign.factor.levels[0],",
        "first_level=min(campaign.factor.levels),",
        "shared/plan/test_plan.py",
    ),
    Mutant(
        "Original's first level comes from the job's settings",
        "services/synthesis/nameplate_synthesis/synthesis_step.py",
        "member.level == recipe.first_level",
        'member.level == "GE"',
        "services/synthesis/test_synthesis_step.py",
    ),
    # Derived controls and twins.
    Mutant(
        "the levels rotate within a group",
        f"{COHORT}/pseudo_levels.py",
        "levels[(place + turn) % len(levels)]",
        "levels[place]",
        "shared/cohort/test_pseudo_levels.py",
    ),
    Mutant(
        "groups take the rotations in turn",
        f"{COHORT}/pseudo_levels.py",
        "                turn += 1\n",
        "                turn += int(rng.integers(2))\n",
        "shared/cohort/test_pseudo_levels.py",
    ),
    Mutant(
        "pseudo-levels do not depend on the order of the members",
        f"{COHORT}/pseudo_levels.py",
        "ordered = sorted(members, key=lambda member: member.exam)",
        "ordered = list(members)",
        "shared/cohort/test_pseudo_levels.py",
    ),
    Mutant(
        "who has no partner goes where fewest of the level are",
        f"{COHORT}/pseudo_levels.py",
        "return of_level[level, pseudo], in_part[pseudo], everywhere[pseudo], after",
        "return 0, in_part[pseudo], everywhere[pseudo], after",
        "shared/cohort/test_pseudo_levels.py",
    ),
    Mutant(
        "a twin is refused with its twin",
        f"{COHORT}/members.py",
        "refused |= lone",
        "lone = {}",
        "shared/cohort/test_twins.py",
    ),
    Mutant(
        "twins have one label",
        f"{COHORT}/members.py",
        "exam.patient if job.twins else exam.exam",
        "exam.exam",
        "shared/cohort/test_twins.py",
    ),
    Mutant(
        "a cut belongs to the bin above it",
        "shared/nameplate/campaign/factor.py",
        "sum(cut <= number for cut in self.bins)",
        "sum(cut < number for cut in self.bins)",
        "shared/campaign/test_factor.py",
    ),
    Mutant(
        "choosing among groups moves no exam to another group",
        "shared/nameplate/campaign/factor.py",
        "for level, patterns in self.groups.items():",
        "for level, patterns in ((one, self.groups[one]) for one in self.levels):",
        "shared/campaign/test_factor.py",
    ),
    Mutant(
        "matched exams agree in the fields that they must",
        f"{COHORT}/matching.py",
        "allowed &= ours[:, None] == theirs[None, :]",
        "allowed &= True",
        "shared/cohort/test_make_cohort.py",
    ),
    Mutant(
        "the factor's title makes no job run again",
        "shared/nameplate/steps/cohort.py",
        "factor=plan.campaign.factor.field_levels,",
        "factor=plan.campaign.factor,",
        "shared/plan/test_plan.py",
    ),
    Mutant(
        "only the columns of the campaign leave the ingest",
        f"{INGEST}/fields/table.py",
        'values = {name: (row[name] or "").strip() for name in columns}',
        'values = {name: (row[name] or "").strip() for name in header if name != STUDY}',
        f"{INGEST_TESTS}/fields/test_table.py",
    ),
    Mutant(
        "a changed table of fields makes the ingest run again",
        "shared/nameplate/campaign/cohort_source.py",
        '"fields": self.fields_csv, ',
        "",
        "shared/campaign/test_cohort_source.py",
    ),
    Mutant(
        "a derived cohort is planned after the one that it comes from",
        f"{PLAN}/plan.py",
        "key=lambda name: campaign.cohorts[name].other is not None",
        "key=lambda name: 0",
        "shared/plan/test_plan.py",
    ),
    Mutant(
        "a cohort makes what those derived from it need",
        f"{STEPS}/synthesis.py",
        "if settings.other == cohort",
        "if False",
        "shared/plan/test_plan.py",
    ),
    Mutant(
        "the labels of a derived Original follow the pseudo-levels",
        "services/synthesis/nameplate_synthesis/synthesis_step.py",
        "sample.label if recipe.first_level is None else int(level == recipe.first_level)",
        "sample.label",
        "services/synthesis/test_derived.py",
    ),
    Mutant(
        "twins get the same sphere",
        "services/synthesis/nameplate_synthesis/synthesis_step.py",
        "original.patient if twins else original.exam",
        "original.exam",
        "services/synthesis/test_twins.py",
    ),
    Mutant(
        "a sphere of twins is inside every brain",
        "shared/nameplate/image/sphere.py",
        "room[voxels] = np.minimum(room[voxels], _room_at(other, points, cap_mm))",
        "pass",
        "shared/image/test_sphere.py",
    ),
    Mutant(
        "the room around a point is that of a voxel less the way to it",
        "shared/nameplate/image/sphere.py",
        "balls[i, j, k] - away",
        "balls[i, j, k]",
        "shared/image/test_sphere.py",
    ),
    Mutant(
        "a shifted sphere stays inside the brain of every twin",
        "shared/nameplate/image/sphere.py",
        "all(holds(mask, moved, radius_mm) for mask in masks)",
        "holds(masks[0], moved, radius_mm)",
        "services/synthesis/test_difficulty.py",
    ),
    # A user's own model is challenged.
    Mutant(
        "a lesion without room moves no farther than it must",
        "services/challenge/nameplate_challenge/place.py",
        "away.argmin()",
        "away.argmax()",
        "services/challenge/test_place.py",
    ),
    Mutant(
        "what a model has started ends with it",
        "services/challenge/nameplate_challenge/process.py",
        "os.killpg(self._process.pid, signal.SIGKILL)",
        "self._process.kill()",
        "services/challenge/test_model.py",
    ),
    Mutant(
        "a server's end is charged to a case only if a fresh one ends on it",
        "services/challenge/nameplate_challenge/model.py",
        "if fresh or self._closed:",
        "if True:",
        "services/challenge/test_model.py",
    ),
    Mutant(
        "failures of a command that never worked are not kept",
        "services/challenge/nameplate_challenge/trial.py",
        "if scored or not outcome.asked:",
        "if True:",
        "services/challenge/test_command.py",
    ),
    Mutant(
        "a mask of another shape is no answer",
        "services/challenge/nameplate_challenge/answer.py",
        "if answer.array.shape != image.array.shape:",
        "if False:",
        "services/challenge/test_answer.py",
    ),
    Mutant(
        "no radius is read beyond those that were tried",
        "services/challenge/nameplate_challenge/radius.py",
        "np.where(radius > largest, np.inf, radius)",
        "radius",
        "services/challenge/test_curve.py",
    ),
    Mutant(
        "the cases of a patient go together",
        "services/challenge/nameplate_challenge/share.py",
        'Term("", factor, share.merit, share.patients)',
        'Term("", factor, share.merit, [str(n) for n in range(len(share.patients))])',
        "services/challenge/test_share.py",
    ),
    Mutant(
        "a share's interval is Wilson's",
        "shared/nameplate/stats/share.py",
        "centre = (p + q * q / (2 * size)) / (1 + q * q / size)",
        "centre = p",
        "shared/stats/test_share.py",
    ),
    Mutant(
        "what an audit would find it finds in four of five",
        "shared/nameplate/stats/share.py",
        "return gap - found - quantile * math.sqrt(self._apart(middle, gap).variance)",
        "return gap - found",
        "shared/stats/test_share.py",
    ),
    Mutant(
        "in an audit the exams of a patient go together",
        "services/evaluation/nameplate_evaluation/audit/assembly.py",
        "patient = np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64)",
        "patient = np.arange(len(names), dtype=np.int64)",
        "services/evaluation/audit/test_assembly.py",
    ),
    Mutant(
        "an audit's answer is adjusted for all of its comparisons",
        "services/evaluation/nameplate_evaluation/audit/answer.py",
        "return gap.p_holm is not None and gap.p_holm <= ALPHA",
        "return gap.p_holm is not None",
        "services/evaluation/audit/test_audit.py",
    ),
    Mutant(
        "an exam with several scores of one run is counted and left out",
        "services/evaluation/nameplate_evaluation/audit/assembly.py",
        "        by_run[network, run].pop(exam)",
        "        pass",
        "services/evaluation/audit/test_assembly.py",
    ),
    Mutant(
        "a level with few patients is not named",
        "services/evaluation/nameplate_evaluation/audit/levels.py",
        "if count >= FEWEST_PATIENTS]",
        "if count >= 1]",
        "services/evaluation/audit/test_levels.py",
    ),
    Mutant(
        "a gap that is the kernel's vanishes among exams with the same kernel, and is said to",
        "services/evaluation/nameplate_evaluation/audit/cautions.py",
        "lines += _held_fixed(audit, one)",
        "pass",
        "services/evaluation/audit/test_audit.py",
    ),
    Mutant(
        "no step can read a campaign file",
        "services/synthesis/nameplate_synthesis/synthesis_step.py",
        "from nameplate.campaign import ORIGINAL\n",
        "from nameplate.campaign import ORIGINAL, load_campaign\n",
        "contract/test_digests.py",
    ),
    # The commit.
    Mutant(
        "outputs are stored before the commit",
        f"{JOB}/run.py",
        "work(job.settings, inputs, outputs)\n",
        "write_result(store, Result(job=job.id, digest=job_digest(job, results), code='', outputs=()))\n"
        "                work(job.settings, inputs, outputs)\n",
        "shared/job/test_run.py",
    ),
    Mutant(
        "a commit names the outputs",
        f"{JOB}/run.py",
        "outputs=outputs.written",
        "outputs=()",
        "shared/job/test_run.py",
    ),
    Mutant(
        "an older commit is withdrawn",
        f"{JOB}/run.py",
        "if older else",
        "if False else",
        "shared/job/test_run.py",
    ),
    Mutant(
        "where there was no commit none is deleted",
        f"{JOB}/run.py",
        "if older else",
        "if True else",
        "shared/job/test_run.py",
    ),
    Mutant(
        "a current job is not done again",
        f"{JOB}/run.py",
        "if done is not None:",
        "if False:",
        "shared/job/test_run.py",
    ),
    Mutant(
        "a step knows when it should stop",
        f"{JOB}/run.py",
        "Path(scratch), should_stop, on_progress, withdraw)",
        "Path(scratch), lambda: False, on_progress, withdraw)",
        "shared/job/test_run.py",
    ),
    Mutant(
        "a step is given its source",
        f"{JOB}/run.py",
        "Inputs(store, results, source, ",
        "Inputs(store, results, None, ",
        "shared/job/test_run.py",
    ),
    Mutant(
        "a full disk is the store's trouble",
        f"{JOB}/run.py",
        "if error.errno in (errno.ENOSPC, errno.EDQUOT):",
        "if False:",
        "shared/job/test_run.py",
    ),
    Mutant(
        "checkpoints go with the commit",
        f"{JOB}/run.py",
        "outputs.drop_checkpoints()",
        "pass",
        "shared/job/test_run.py",
    ),
    Mutant(
        "scratch is where it was asked for",
        f"{JOB}/run.py",
        'prefix="nameplate-", dir=scratch_root',
        'prefix="nameplate-"',
        "shared/job/test_run.py",
    ),
    Mutant(
        "a step's time is its work",
        f"{JOB}/run.py",
        'with timing.spent("work_s"):',
        'with timing.spent("plan_s"):',
        "shared/job/test_run.py",
    ),
    # What is current.
    Mutant(
        "current is what has this digest",
        f"{JOB}/current.py",
        "if result is None or result.digest != job_digest(job, results):",
        "if result is None:",
        "shared/job/test_current.py",
    ),
    Mutant(
        "current is what has its outputs",
        f"{JOB}/current.py",
        "if any(sizes.get(output.key) != output.size for output in result.outputs):",
        "if False:",
        "shared/job/test_current.py",
    ),
    Mutant(
        "current is what has its outputs' sizes",
        f"{JOB}/current.py",
        "if any(sizes.get(output.key) != output.size for output in result.outputs):",
        "if any(output.key not in sizes for output in result.outputs):",
        "shared/job/test_current.py",
    ),
    Mutant(
        "with a snapshot the store is not asked",
        f"{JOB}/current.py",
        "sizes = snapshot.sizes",
        'sizes = store.sizes("")',
        "shared/job/test_current.py",
    ),
    Mutant(
        "a torn commit is none",
        f"{JOB}/result.py",
        "except (NoSuchKey, ValidationError):",
        "except NoSuchKey:",
        "shared/job/test_current.py",
    ),
    # Inputs and outputs.
    Mutant(
        "a damaged input withdraws its commit",
        f"{JOB}/inputs.py",
        "self._store.delete(result_key(job))",
        "pass",
        "shared/job/test_inputs.py",
    ),
    Mutant(
        "a damaged input withdraws no other commit",
        f"{JOB}/inputs.py",
        "if any(output.key == key for output in result.outputs):",
        "if True:",
        "shared/job/test_inputs.py",
    ),
    Mutant(
        "what is read is checked by its digest",
        f"{JOB}/result.py",
        "if len(data) != output.size or hashlib.sha256(data).hexdigest() != output.sha256:",
        "if len(data) != output.size:",
        "shared/job/test_inputs.py",
    ),
    Mutant(
        "attempts without progress are counted in a row",
        f"{JOB}/attempts.py",
        "        if self._in_vain:\n            self._write(0)",
        "        pass",
        "shared/job/test_attempts.py",
    ),
    Mutant(
        "a new workflow counts its attempts from the start",
        f"{JOB}/attempts.py",
        "self._read() if self._number > 1 else 0",
        "self._read()",
        "shared/job/test_attempts.py",
    ),
    Mutant(
        "a checkpoint that was not written is no progress",
        "services/training/nameplate_training/training_step.py",
        "if (now := written(checkpoints)) != stored:",
        "if (now := written(checkpoints)) or stored:",
        "services/training/test_training_step.py",
    ),
    Mutant(
        "a wait in a queue is not counted",
        f"{CLUSTER}/plan_pod.py",
        "if trouble or is_over(workflow) or not is_held(attempts):",
        "if True:",
        "services/cluster/test_submit.py",
    ),
    Mutant(
        "what is fetched is checked by its digest",
        f"{JOB}/inputs.py",
        'return hashlib.file_digest(file, "sha256").hexdigest() == output.sha256',
        "return True",
        "shared/job/test_inputs.py",
    ),
    Mutant(
        "outputs are named in order of key",
        f"{JOB}/outputs.py",
        "for key in sorted(self._written)",
        "for key in self._written",
        "shared/job/test_outputs.py",
    ),
    Mutant(
        "checkpoints reach another machine",
        f"{JOB}/outputs.py",
        "if self._store.folder(self._work) is None:",
        "if False:",
        "shared/job/test_outputs.py",
    ),
    Mutant(
        "checkpoints are of one job",
        f"{JOB}/outputs.py",
        'in self._store.sizes(self._work + "/"):\n            self._store.delete(key)',
        "in self._store.sizes(self._work):\n            self._store.delete(key)",
        "shared/job/test_outputs.py",
    ),
    Mutant(
        "keys of files come in order",
        f"{STEPS}/files.py",
        "return sorted(key for key in reader.keys if pattern.fullmatch(key))",
        "return [key for key in reader.keys if pattern.fullmatch(key)]",
        "shared/steps/test_files.py",
    ),
    Mutant(
        "a misspelt field of a key is refused",
        f"{STEPS}/files.py",
        "if unknown := set(fields) - set(self._names):",
        "if unknown := set[str]():",
        "shared/steps/test_files.py",
    ),
    Mutant(
        "different levels have different keys",
        "shared/nameplate/campaign/names.py",
        'f"_{ord(c):x}_"',
        '"_"',
        "shared/plan/test_plan.py",
    ),
    # A campaign in its store.
    Mutant(
        "another campaign's store is refused",
        f"{JOB}/committed.py",
        "if owner != campaign.name:",
        "if False:",
        "shared/job/test_committed.py",
    ),
    Mutant(
        "a campaign that has changed is refused",
        f"{JOB}/committed.py",
        "if digest is not None and campaign_digest(text) != digest:",
        "if False:",
        "shared/job/test_committed.py",
    ),
    Mutant(
        "a pod waits for what may follow",
        f"{JOB}/committed.py",
        "kind = TryAgain if may_follow else UserError",
        "kind = UserError if may_follow else TryAgain",
        "shared/job/test_committed.py",
    ),
    Mutant(
        "selections end with the last round",
        f"{JOB}/committed.py",
        "if not rounds[-1].next_seeds:",
        "if False:",
        "shared/job/test_committed.py",
    ),
    Mutant(
        "a store of another format is refused",
        f"{STORE}/open.py",
        "if found != FORMAT:",
        "if False:",
        "shared/store/test_open.py",
    ),
    Mutant(
        "an older store is told from a newer one",
        f"{STORE}/open.py",
        "older = isinstance(found, int) and found < FORMAT",
        "older = False",
        "shared/store/test_open.py",
    ),
    Mutant(
        "a store is made only when asked",
        f"{STORE}/open.py",
        "        if not create:\n",
        "        if False:\n",
        "shared/store/test_open.py",
    ),
    Mutant(
        "a foreign folder is no store",
        f"{STORE}/open.py",
        'if next(iter(store.sizes("")), None) is not None:',
        "if False:",
        "shared/store/test_directory.py",
    ),
    # Trying again.
    Mutant(
        "a silent store is asked until the time is over",
        f"{STORE}/retrying.py",
        "if now >= deadline or should_stop():",
        "if True:",
        "shared/store/test_retrying.py",
    ),
    Mutant(
        "who is asked to end waits for no store",
        f"{STORE}/retrying.py",
        "if now >= deadline or should_stop():",
        "if now >= deadline:",
        "shared/store/test_retrying.py",
    ),
    Mutant(
        "an account of a prefix is not asked for the bucket",
        f"{STORE}/s3_service.py",
        "bucket_name=bucket, prefix=root)), None)",
        "bucket_name=bucket)), None)",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "a session token is sent along",
        f"{STORE}/s3_service.py",
        'os.environ.get("AWS_SESSION_TOKEN") or None',
        "None",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "a network of NO_PROXY has no proxy",
        f"{STORE}/s3_service.py",
        "or any(address in network for network in _networks_without_proxy())",
        "",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "a refused identity does not show its token",
        f"{STORE}/s3_service.py",
        "({f'HTTP {status[1]}' if status else type(error).__name__})",
        "({status and status[1]} {error})",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "a file in parts asks for the site's encryption",
        f"{STORE}/s3.py",
        "file_path=str(path), sse=self._sse",
        "file_path=str(path)",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "what is signed has the gateway's path",
        f"{STORE}/s3_service.py",
        'url._replace(path=f"{self._path}{url.path}")',
        "url",
        "shared/store/test_s3_service.py",
    ),
    Mutant(
        "a pod writes down how it ended",
        f"{SERVICE}/pod.py",
        "timing.outcome = outcome_of(error)",
        "pass",
        "shared/service/test_pod.py",
    ),
    Mutant(
        "what a job tells reaches the pod's account",
        f"{JOB}/run.py",
        "    timing.hear(outputs.told)",
        "    pass",
        "shared/job/test_run.py",
    ),
    Mutant(
        "the workflows try a step as often as it says",
        f"{STEPS}/step.py",
        "retries: int = 3",
        "retries: int = 2",
        "contract/test_workflows.py",
    ),
    Mutant(
        "a chunk asked to stop begins no other job",
        f"{SERVICE}/chunk.py",
        "        if should_stop():\n            raise TryAgain",
        "        if False:\n            raise TryAgain",
        "shared/service/test_pod.py",
    ),
    Mutant(
        "SIGTERM is a wish to end",
        f"{SERVICE}/pod.py",
        "lambda *_: stop.set()",
        "lambda *_: None",
        "shared/service/test_pod.py",
    ),
    Mutant(
        "source files are for the step that reads them",
        f"{SERVICE}/pod.py",
        "if step_named(step).reads_source else {}",
        "",
        "shared/service/test_pod.py",
    ),
    Mutant(
        "what may pass is raised before a mistake",
        f"{SERVICE}/chunk.py",
        "raise min(failures, key=lambda failure: not isinstance(failure, TryAgain))",
        "raise failures[0]",
        "shared/service/test_chunk.py",
    ),
    Mutant(
        "a mistake is exit 2",
        "shared/nameplate/errors.py",
        "exit_code = 2\n",
        "exit_code = 75\n",
        "shared/service/test_main.py",
    ),
    Mutant(
        "trouble that may pass is exit 75",
        "shared/nameplate/errors.py",
        "exit_code = 75\n",
        "exit_code = 2\n",
        "shared/service/test_main.py",
    ),
    Mutant(
        "a service does no other service's job",
        f"{SERVICE}/job.py",
        "if service is not None and step.service != service:",
        "if False:",
        "shared/service/test_main.py",
    ),
    Mutant(
        "nothing more is written to a reader that has gone",
        f"{SERVICE}/main.py",
        "os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())",
        "pass",
        "shared/service/test_main.py",
    ),
    # What a campaign takes.
    Mutant(
        "expected runs end at the limit",
        f"{PLAN}/estimate.py",
        "expected = min(max(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)",
        "expected = max(rounds.first, rounds.target / max(rate, 1e-9))",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "expected runs begin with the first round",
        f"{PLAN}/estimate.py",
        "expected = min(max(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)",
        "expected = min(rounds.target / max(rate, 1e-9), rounds.limit)",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "the least and the most of expected runs",
        f"{PLAN}/estimate.py",
        "expected = min(max(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)",
        "expected = max(min(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "a shard takes its share of the time",
        f"{PLAN}/estimate.py",
        "(phantom.exams if phantom else 1000) / (cohort.shards if cohort else 1)",
        "(phantom.exams if phantom else 1000)",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "hours are added up",
        f"{PLAN}/estimate.py",
        "sum(row.gpu_hours(gpu_tflops) for row in rows)",
        "max(row.gpu_hours(gpu_tflops) for row in rows)",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "bytes are added up",
        f"{PLAN}/summary.py",
        "total += size",
        "total = size",
        "shared/plan/test_estimate.py",
    ),
    # Arms, and what a campaign could find.
    Mutant(
        "an arm with more exams than there are is refused",
        "shared/nameplate/pack/arm_exams.py",
        "if wanted > there:",
        "if False:",
        "shared/plan/test_estimate.py",
    ),
    Mutant(
        "a campaign that cannot end makes no store",
        "services/local/nameplate_local/command_line.py",
        "seconds = seconds_estimate(campaign, costs",
        "open_store(_store_url(options, campaign)); seconds = seconds_estimate(campaign, costs",
        "services/local/test_command_line.py",
    ),
    Mutant(
        "every run draws its own exams",
        "services/training/nameplate_training/exams.py",
        "cell.training_set, cell.group, job.seed)",
        "cell.training_set, cell.group)",
        "services/training/test_exams.py",
    ),
    Mutant(
        "a run draws the same exams in every task",
        "services/training/nameplate_training/exams.py",
        "cell.training_set, cell.group, job.seed)",
        "cell.training_set, cell.group, job.seed, cell.dataset)",
        "services/training/test_exams.py",
    ),
    Mutant(
        "no level gets what does not divide more often than others",
        "services/training/nameplate_training/exams.py",
        "[str(level) for level in random.permutation(sorted({level for level, _ in groups}))]",
        "sorted({level for level, _ in groups})",
        "services/training/test_exams.py",
    ),
    Mutant(
        "all validation exams count",
        f"{STEPS}/training.py",
        'None if self.choose_on == "all" else self.arm.levels',
        "self.arm.levels",
        "services/training/test_train.py",
    ),
    Mutant(
        "or only those of the arm's levels",
        f"{STEPS}/training.py",
        'None if self.choose_on == "all" else self.arm.levels',
        "None",
        "services/training/test_train.py",
    ),
    Mutant(
        "all converged runs are kept",
        "services/training/nameplate_training/selection.py",
        'len(converged) if rounds.keep == "all" else rounds.keep',
        'rounds.target if rounds.keep == "all" else rounds.keep',
        "services/training/test_selection.py",
    ),
    Mutant(
        "tasks share the errors of their exams",
        f"{PLAN}/power.py",
        "correlation * float(errors.sum()) ** 2",
        "0.0",
        "shared/plan/test_power.py",
    ),
    Mutant(
        "few runs leave few degrees of freedom",
        f"{PLAN}/power.py",
        "of_runs**2 / (runs - 1)",
        "of_runs**2 / runs",
        "shared/plan/test_power.py",
    ),
    Mutant(
        "tasks vary less near the ceiling",
        f"{PLAN}/power.py",
        "assumed.run_sd * probit_density(auroc) / probit_density(assumed.auroc)",
        "assumed.run_sd",
        "shared/plan/test_power.py",
    ),
    Mutant(
        "growth is along the share of changed spheres",
        "shared/nameplate/stats/growth.py",
        "        return tuple(shares[: len(difficulties)])\n",
        "        pass\n",
        "shared/stats/test_growth.py",
    ),
    # The plan's pod.
    Mutant(
        "what is done is not planned again",
        f"{CLUSTER}/plan_step.py",
        "chunks_of(part, state.results, seconds,",
        "chunks_of(part, (), seconds,",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a finished arm is left out",
        f"{CLUSTER}/plan_step.py",
        "if not _is_finished(state, arm):",
        "if True:",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "an arm goes to its pool",
        f"{CLUSTER}/plan_step.py",
        "pool = pool_of(arm, pools)",
        "pool = pools[0]",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a pool takes its training sets alone",
        f"{CLUSTER}/pools.py",
        "not self.training_sets or arm.training_set in self.training_sets",
        "True",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "an arm that two pools name is refused",
        f"{CLUSTER}/pools.py",
        "if len(naming) > 1:",
        "if len(naming) > 9:",
        "services/cluster/test_pools.py",
    ),
    Mutant(
        "another file of the campaign is not replaced unasked",
        f"{CLUSTER}/plan_step.py",
        "    if not options.replace:\n",
        "    if options.replace:\n",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a file that was refused is not the one in the store",
        f"{CLUSTER}/preflight.py",
        'item.step == "plan" and item.state == "done"',
        'item.step == "plan"',
        "services/cluster/test_submit.py",
    ),
    Mutant(
        "a quota asks every container, Argo's too",
        f"{CLUSTER}/admission.py",
        "if name not in COUNTED or not silent:",
        "if name not in COUNTED or len(silent) < len(pod.containers):",
        "services/cluster/test_admission.py",
    ),
    Mutant(
        "the first LimitRange that gives a default has given it",
        f"{CLUSTER}/admission.py",
        'limits = _amounts(bound.get("default")) | limits',
        'limits |= _amounts(bound.get("default"))',
        "services/cluster/test_admission.py",
    ),
    Mutant(
        "one term of an affinity is enough",
        f"{CLUSTER}/placement.py",
        "not any(self._meets(term) for term in terms)",
        "not all(self._meets(term) for term in terms)",
        "services/cluster/test_placement.py",
    ),
    Mutant(
        "a report that is there is not made again",
        f"{CLUSTER}/plan_step.py",
        "if REPORT in only and not chunks[REPORT] and REPORT not in state.results:",
        "if REPORT in only and not chunks[REPORT]:",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a step alone is that step alone",
        f"{CLUSTER}/plan_step.py",
        "if stage.arm is None and stage.step in only:",
        "if stage.arm is None:",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a step before its time is refused",
        f"{CLUSTER}/plan_step.py",
        "    _check_earlier(state, only)\n",
        "",
        "services/cluster/test_plan_step.py",
    ),
    Mutant(
        "a mistyped campaign makes no store",
        f"{CLUSTER}/plan_step.py",
        "open_store(store_url, create=False)",
        "open_store(store_url)",
        "services/cluster/test_plan_step.py",
    ),
    # An arm.
    Mutant(
        "an arm's rounds in one run have an end",
        f"{SERVICE}/arm.py",
        "if options.iteration >= MAX_ITERATIONS:",
        "if False:",
        "shared/service/test_arm.py",
    ),
    Mutant(
        "predictions wait for the last training",
        f"{SERVICE}/arm.py",
        'prediction=() if training else tuple(chunks["prediction"])',
        'prediction=tuple(chunks["prediction"])',
        "shared/service/test_arm.py",
    ),
    Mutant(
        "arms share the most chunks",
        f"{SERVICE}/arm.py",
        "max(1, most // len(arms_of(state.plan)))",
        "most",
        "shared/service/test_arm.py",
    ),
    Mutant(
        "an arm has its own chunks alone",
        f"{SERVICE}/arm.py",
        "if stage.arm == arm:",
        "if stage.arm is not None:",
        "shared/service/test_arm.py",
    ),
    Mutant(
        "an arm waits for its packs",
        f"{SERVICE}/arm.py",
        "sorted(packs), may_follow=True)",
        "sorted(packs))",
        "shared/service/test_arm.py",
    ),
    # The report.
    Mutant(
        "validation predictions are those of every run",
        f"{EVALUATION}/load.py",
        "for seed in sorted(run.seed for run in runs)",
        "for seed in rounds[-1].kept",
        "services/evaluation/test_load.py",
    ),
    Mutant(
        "runs of a round without its selection are there",
        f"{EVALUATION}/load.py",
        "runs=tuple(runs),",
        "runs=tuple(run for run in runs if run.round < len(rounds)),",
        "services/evaluation/test_load.py",
    ),
    Mutant(
        "a cell without a selection is left out",
        f"{EVALUATION}/load.py",
        "cell for cell in cells if cell is not None",
        "cell or cells[0] for cell in cells",
        "services/evaluation/test_load.py",
    ),
    Mutant(
        "every version that trained a run is named",
        f"{EVALUATION}/load.py",
        "trained_by.setdefault(name, set()).add(number)",
        "trained_by[name] = {number}",
        "services/evaluation/test_load.py",
    ),
    Mutant(
        "a fresh report has every step that the report reads",
        f"{EVALUATION}/fresh_report.py",
        "needed = [job.id for job in jobs if job.step in report.STEP.needs]",
        'needed = [job.id for job in jobs if job.step in report.STEP.needs and job.step != "prediction"]',
        "services/evaluation/test_load.py",
    ),
    Mutant(
        "validation exams are all of them unless a campaign says own",
        f"{EVALUATION}/analysis.py",
        'if experiment.choose_on == "own":',
        "if True:",
        "services/evaluation/test_analysis.py",
    ),
    Mutant(
        "an exam of no cohort is an error",
        f"{EVALUATION}/analysis.py",
        "if members and strange:",
        "if False:",
        "services/evaluation/test_analysis.py",
    ),
    Mutant(
        "cells are in the campaign's order",
        f"{EVALUATION}/analysis.py",
        "cells.sort(key=_order(campaign, experiment))",
        "cells.sort(key=lambda cell: cell.key)",
        "services/evaluation/test_analysis.py",
    ),
    Mutant(
        "sensitivity by difficulty is of its own spheres",
        f"{EVALUATION}/analysis.py",
        "np.array([s == kind for s in test.difficulties])",
        "np.array([s is not None for s in test.difficulties])",
        "services/evaluation/test_analysis.py",
    ),
    Mutant(
        "an exam that is predicted twice is an error",
        f"{EVALUATION}/scores.py",
        "if len(rows[seed]) != len(predicted):",
        "if False:",
        "services/evaluation/test_scores.py",
    ),
    Mutant(
        "exams of scores are in alphabetical order",
        f"{EVALUATION}/scores.py",
        "exams = tuple(sorted(first))",
        "exams = tuple(first)",
        "services/evaluation/test_scores.py",
    ),
    Mutant(
        "the spread over runs is that of a sample",
        f"{EVALUATION}/measure.py",
        "std(ddof=1)",
        "std()",
        "services/evaluation/test_measure.py",
    ),
    Mutant(
        "exams of a sum are counted once",
        f"{EVALUATION}/measure.py",
        "exams=len({exam for _, part in parts for exam in part.exams}),",
        "exams=sum(len(part.exams) for _, part in parts),",
        "services/evaluation/test_measure.py",
    ),
    Mutant(
        "an AUROC of 99 percent is at the ceiling",
        f"{EVALUATION}/measure.py",
        "CEILING_AUROC = 0.99",
        "CEILING_AUROC = 1.01",
        "services/evaluation/test_measure.py",
    ),
    Mutant(
        "accuracy with five wrong answers is not at the ceiling",
        f"{EVALUATION}/measure.py",
        "right.size - right.sum() < CEILING_ERRORS",
        "right.size - right.sum() <= CEILING_ERRORS",
        "services/evaluation/test_measure.py",
    ),
    Mutant(
        "a difference at the ceiling has no interval",
        f"{EVALUATION}/measure.py",
        "elif ceiling and any(part.at_ceiling for _, part in parts):",
        "elif False:",
        "services/evaluation/test_errors_cured.py",
    ),
    Mutant(
        "where nothing varies there is no interval",
        f"{EVALUATION}/measure.py",
        "elif found.variance == 0:",
        "elif False:",
        "services/evaluation/test_measure.py",
    ),
    Mutant(
        "runs that disagree on an exam are an error",
        f"{EVALUATION}/scores.py",
        "if _known(rows[seed][exam]) != _known(first[exam])",
        "if False",
        "services/evaluation/test_scores.py",
    ),
    Mutant(
        "a score that is no number is an error",
        f"{EVALUATION}/scores.py",
        "if not np.isfinite(values).all():",
        "if False:",
        "services/evaluation/test_scores.py",
    ),
    Mutant(
        "the advantage is own minus other",
        f"{EVALUATION}/advantage.py",
        "own if trained == tested else other, measured",
        "own if trained != tested else other, measured",
        "services/evaluation/test_advantage.py",
    ),
    Mutant(
        "the others of three levels are averaged",
        f"{EVALUATION}/advantage.py",
        "-1.0 / (len(levels) * (len(levels) - 1))",
        "-1.0 / len(levels)",
        "services/evaluation/test_advantage.py",
    ),
    Mutant(
        "growth needs every task",
        f"{EVALUATION}/advantage.py",
        "len(parts) > 1 and len(parts) == len(tasks)",
        "len(parts) > 1",
        "services/evaluation/test_advantage.py",
    ),
    Mutant(
        "only an arm of all exams of one level trains on a level",
        f"{EVALUATION}/analysis.py",
        "if arm.own_level == level",
        "if arm.levels == (level,)",
        "services/evaluation/test_advantage.py",
    ),
    Mutant(
        "bias needs a lower end above zero",
        f"{EVALUATION}/claim.py",
        "if overall.low > 0:",
        "if overall.mean > 0:",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "growth needs the probit scale, too",
        f"{EVALUATION}/claim.py",
        "if scale is None or scale.low is None or scale.low <= 0:",
        "if False:",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "growth needs points, too",
        f"{EVALUATION}/claim.py",
        "if points is None or points.low is None or points.low <= 0:",
        "if points is None or points.low is None:",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "small is within the margin on both sides",
        f"{EVALUATION}/claim.py",
        "return -margin < narrow.low and narrow.high < margin",
        "return -margin < narrow.low",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "small is two tests of five percent each",
        f"{EVALUATION}/claim.py",
        "SMALL_CONFIDENCE = 0.90",
        "SMALL_CONFIDENCE = 0.95",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "at the ceiling nothing is shown to be small",
        f"{EVALUATION}/claim.py",
        "if advantage.at_ceiling:",
        "if False:",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "a control must be able to find as much as is claimed",
        f"{EVALUATION}/claim.py",
        "null.detectable is not None and null.detectable <= claimed.overall.mean",
        "null.detectable is not None",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "a control is of the same experiment and task",
        f"{EVALUATION}/claim.py",
        'analysis.judged("null-control")',
        'analysis.judged("positive-control")',
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "a control that found an effect carries no claim",
        f"{EVALUATION}/claim.py",
        "quiet = all(control.overall.holds(0.0) is not False for control in controls)",
        "quiet = True",
        "services/evaluation/test_claim.py",
    ),
    Mutant(
        "naming holds only within a tenth of chance",
        f"{EVALUATION}/control.py",
        'return "holds" if inside else "cannot tell"',
        'return "holds"',
        "services/evaluation/test_control.py",
    ),
    Mutant(
        "a null control that could find nothing cannot tell",
        f"{EVALUATION}/control.py",
        'return "holds" if able else "cannot tell"',
        'return "holds"',
        "services/evaluation/test_control.py",
    ),
    Mutant(
        "null checks share five percent",
        f"{EVALUATION}/control.py",
        "(1.0 - analysis.confidence) / max(1, measured)",
        "(1.0 - analysis.confidence)",
        "services/evaluation/test_control.py",
    ),
    Mutant(
        "a failing null control stands in the sentence",
        f"{EVALUATION}/answer.py",
        "if any(check.controls == grid.experiment.name for check in failing):",
        "if False:",
        "services/evaluation/test_answer.py",
    ),
    Mutant(
        "a claim without a control says so first",
        f"{EVALUATION}/answer.py",
        "elif claim.made and not claim.controlled:",
        "elif False:",
        "services/evaluation/test_answer.py",
    ),
    Mutant(
        "the sentence says what it is about",
        f"{EVALUATION}/answer.py",
        "if claim is not None and claim.answers:\n        scope",
        "if False:\n        scope",
        "services/evaluation/test_answer.py",
    ),
    Mutant(
        "choosing on the own level is said to make an advantage",
        f"{EVALUATION}/answer.py",
        'if experiment.choose_on == "own":',
        "if False:",
        "services/evaluation/test_answer.py",
    ),
    Mutant(
        "negatives that score alike are not parted",
        f"{EVALUATION}/threshold.py",
        "np.where(negatives > last[:, None], negatives, 1.0)",
        "np.where(negatives >= last[:, None], negatives, 1.0)",
        "services/evaluation/test_threshold.py",
    ),
    Mutant(
        "nine tenths of ten negatives are nine",
        f"{EVALUATION}/threshold.py",
        "round(specificity * count, 9)",
        "1.000001 * specificity * count",
        "services/evaluation/test_threshold.py",
    ),
    Mutant(
        "a carried threshold comes from the level trained on",
        f"{EVALUATION}/threshold.py",
        "tested=tested, chosen_on=trained)",
        "tested=tested, chosen_on=tested)",
        "services/evaluation/test_threshold.py",
    ),
    Mutant(
        "a run that separates the classes has no calibration",
        f"{EVALUATION}/calibration.py",
        "or area.merit.values.max() == 1.0",
        "",
        "services/evaluation/test_calibration.py",
    ),
    Mutant(
        "a flip is of a head on two machines",
        f"{EVALUATION}/flips.py",
        "if len({scores.levels[p] for p in of}) > 1}",
        "}",
        "services/evaluation/test_flips.py",
    ),
    Mutant(
        "five tasks are no curve",
        f"{EVALUATION}/curve.py",
        "LEAST_TASKS = 6",
        "LEAST_TASKS = 5",
        "services/evaluation/test_curve.py",
    ),
    Mutant(
        "the onset is above the margin",
        f"{EVALUATION}/curve.py",
        "np.flatnonzero(fit > margin)",
        "np.flatnonzero(fit > 0)",
        "services/evaluation/test_curve.py",
    ),
    Mutant(
        "mixing is compared with training on one level",
        f"{EVALUATION}/mixing.py",
        "baseline = _mean(analysis, grid, dataset, singles, -1.0)",
        "baseline = _mean(analysis, grid, dataset, singles[:1], -1.0)",
        "services/evaluation/test_mixing.py",
    ),
    Mutant(
        "the largest sphere is in a bin",
        f"{EVALUATION}/description_tables.py",
        "int(np.floor(radii.max())) + 1",
        "int(np.ceil(radii.max()))",
        "services/evaluation/test_description_tables.py",
    ),
    Mutant(
        "predictions have all their digits",
        f"{EVALUATION}/predictions.py",
        "                            repr(one.score),",
        "                            one.score,",
        "services/evaluation/test_predictions.py",
    ),
    Mutant(
        "MELODY's scores have all their digits",
        f"{EVALUATION}/predictions.py",
        "(repr(of[exam].score) if exam in of",
        "(of[exam].score if exam in of",
        "services/evaluation/test_predictions.py",
    ),
    Mutant(
        "pictures of two experiments have ids of their own",
        f"{EVALUATION}/analysis.py",
        'return f"{self.experiment.name}-{self.cohort}"',
        "return self.cohort",
        "services/evaluation/test_report.py",
    ),
    Mutant(
        "a positive's influence is its placement",
        f"{STATS}/influence.py",
        "(above - area[:, None]) / positives * _inflation(positives)",
        "(above - area[:, None]) / positives",
        "shared/stats/test_influence.py",
    ),
    Mutant(
        "ties count half",
        f"{STATS}/influence.py",
        "everyone = rankdata(scores, axis=1)",
        'everyone = rankdata(scores, method="max", axis=1)',
        "shared/stats/test_influence.py",
    ),
    Mutant(
        "a mean varies within strata",
        f"{STATS}/influence.py",
        "else (strata, ~strata):",
        "else (np.ones(count, dtype=bool),):",
        "shared/stats/test_influence.py",
    ),
    Mutant(
        "probit is by the delta method",
        f"{STATS}/influence.py",
        "merit.influence / norm.pdf(z)[:, None]",
        "merit.influence * norm.pdf(z)[:, None]",
        "shared/stats/test_influence.py",
    ),
    Mutant(
        "a perfect AUROC has a finite probit",
        f"{STATS}/influence.py",
        "step = 0.5 /",
        "step = 0.0 /",
        "shared/stats/test_influence.py",
    ),
    Mutant(
        "exams of one patient are added up",
        f"{STATS}/contrast.py",
        "number.setdefault(patient, len(number)) for patient in of_term",
        'number.setdefault(f"{patient} {len(number)}", len(number)) for patient in of_term',
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "the HU of air is no table",
        "shared/nameplate/image/fingerprint/surroundings.py",
        "excess = hu - float(np.percentile(medians, 10))",
        "excess = hu + 1000.0",
        "shared/image/fingerprint/test_surroundings.py",
    ),
    Mutant(
        "a formula in the fingerprint's files is text",
        "shared/nameplate/records.py",
        'return f"\'{text}" if text[:1] in',
        "return text if text[:1] in",
        "services/fingerprint/test_table.py",
    ),
    Mutant(
        "the runs' own noise is not counted as patients'",
        f"{STATS}/contrast.py",
        "cases -= (own - shared) / k",
        "pass",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "runs vary as a sample does",
        f"{STATS}/contrast.py",
        "values.var(ddof=1)",
        "values.var()",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "the runs of a cell are few",
        f"{STATS}/contrast.py",
        "spread += of_runs**2 / (k - 1)",
        "spread += of_runs**2 / k",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "patients are few, too",
        f"{STATS}/contrast.py",
        "spread += cases**2 / max(patients - 1, 1)",
        "pass",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "one run has no interval",
        f"{STATS}/contrast.py",
        "df=None if one_run else df",
        "df=1.0 if one_run else df",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "an interval is Student's",
        f"{STATS}/contrast.py",
        "float(student.ppf((1 + confidence) / 2, self.df)) * math",
        "float(student.ppf((1 + confidence) / 2, 1e9)) * math",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "what rounding leaves is no variance",
        f"{STATS}/contrast.py",
        "if cases + runs < _ROUNDING:",
        "if False:",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "Holm never falls",
        f"{STATS}/holm.py",
        "worst = max(worst, min",
        "worst = max(0.0, min",
        "shared/stats/test_holm.py",
    ),
    # Networks that are not ours, and labels of the user's own.
    Mutant(
        "an output of another shape is refused",
        "services/training/nameplate_training/networks/foreign.py",
        "if found.shape == wanted:",
        "if True:",
        "services/training/networks/test_foreign.py",
    ),
    Mutant(
        "only MONAI's networks can be named",
        "services/training/nameplate_training/networks/monai.py",
        'value.__module__.startswith("monai.networks.nets.")',
        "True",
        "services/training/networks/test_monai.py",
    ),
    Mutant(
        "predictions want the code that trained",
        "services/training/nameplate_training/networks/__init__.py",
        "(before := trained_with.get(name)) != here",
        "(before := trained_with.get(name)) is None",
        "services/training/networks/test_python.py",
    ),
    Mutant(
        "the split holds the label's share, too",
        "shared/nameplate/cohort/labels.py",
        "labelled = level if job.labels is None else",
        "labelled = level if True else",
        "shared/cohort/test_labels.py",
    ),
    Mutant(
        "an exam without a label is refused",
        "shared/nameplate/cohort/labels.py",
        'return f"no label in {job.labels.column}"',
        "return None",
        "shared/cohort/test_labels.py",
    ),
    Mutant(
        "an exam without a label is among the lost ones",
        "shared/nameplate/cohort/members.py",
        'return "labels"',
        'return "cohort"',
        "shared/cohort/test_labels.py",
    ),
    Mutant(
        "studies of a table that no file is of are counted once",
        "services/ingest/nameplate_ingest/sources/index.py",
        "self.unused = len(reading.fields.keys() - self.named)",
        "self.unused = 0",
        "services/ingest/sources/test_index.py",
    ),
    # Masks of the user's own.
    Mutant(
        "a mask that changes makes the ingest run again",
        "shared/nameplate/campaign/cohort_source.py",
        '_add_files(digest, f"cohorts.{self.name}.masks", self.masks, nifti=True)',
        "pass",
        "shared/campaign/test_cohort_source.py",
    ),
    Mutant(
        "the report does not show where the masks are",
        f"{STEPS}/report.py",
        '("manufacturers_csv", "fields_csv", "masks")',
        '("manufacturers_csv", "fields_csv")',
        "shared/campaign/test_masks.py",
    ),
    Mutant(
        "a mask keeps its place and size on a coarser grid",
        "shared/nameplate/image/mask_grid.py",
        "_OFFSETS = (-0.2501, 0.2501)",
        "_OFFSETS = (0.0, 0.0)",
        "shared/image/test_mask_grid.py",
    ),
    Mutant(
        "a mask of another place is refused",
        f"{INGEST}/target.py",
        "if head < LEAST_HELD:",
        "if False:",
        f"{INGEST_TESTS}/test_target.py",
    ),
    Mutant(
        "a mask that does not say where it is is refused",
        "shared/nameplate/image/volume.py",
        "if placed and not",
        "if False and not",
        f"{INGEST_TESTS}/test_target.py",
    ),
    Mutant(
        "a mask of several structures is refused",
        f"{INGEST}/target.py",
        "if np.count_nonzero(values == values.max()) != np.count_nonzero(inside):",
        "if False:",
        f"{INGEST_TESTS}/test_target.py",
    ),
    Mutant(
        "an exam without a mask of its own is refused",
        f"{COHORT}/targets.py",
        'return "no mask of its own"',
        "return None",
        "shared/cohort/test_targets.py",
    ),
    Mutant(
        "each split has its share of masks that show something",
        f"{COHORT}/labels.py",
        "return labelled if outlined is None else",
        "return labelled if True else",
        "shared/cohort/test_targets.py",
    ),
    Mutant(
        "pseudo-levels have masks that show something in equal parts",
        f"{COHORT}/pseudo_levels.py",
        "return member.label, member.outlined",
        "return member.label, None",
        "shared/cohort/test_targets.py",
    ),
    Mutant(
        "the user's mask is learned, not the brain's",
        "services/synthesis/nameplate_synthesis/pack_step.py",
        "learned = sample.mask if sample.target is None else sample.target",
        "learned = sample.mask",
        "services/synthesis/test_synthesis_step.py",
    ),
    # The local runner's workers.
    Mutant(
        "a store at fault is told from a job at fault",
        "services/local/nameplate_local/worker.py",
        "at_fault = isinstance(error, StoreError | StoreUnreachable)",
        "at_fault = False",
        "services/local/test_worker.py",
    ),
    Mutant(
        "a job's log has what native code prints",
        "services/local/nameplate_local/worker.py",
        "os.dup2(file.fileno(), 1)",
        "pass",
        "services/local/test_worker.py",
    ),
    Mutant(
        "a worker ends with its runner",
        "services/local/nameplate_local/worker.py",
        "os._exit(75)",
        "pass",
        "services/local/test_worker.py",
    ),
    # Whole, or not at all.
    Mutant(
        "a folder that is not empty is refused",
        "shared/nameplate/whole.py",
        "if target.exists() and (not target.is_dir() or any(target.iterdir())):",
        "if False:",
        "shared/test_whole.py",
    ),
    Mutant(
        "a file that is not finished vanishes",
        "shared/nameplate/whole.py",
        "partial.unlink(missing_ok=True)",
        "pass",
        "shared/test_whole.py",
    ),
    Mutant(
        "a folder that is not finished vanishes",
        "shared/nameplate/whole.py",
        "shutil.rmtree(partial, ignore_errors=True)",
        "pass",
        "shared/test_whole.py",
    ),
    # A campaign file.
    Mutant(
        "a key of older files says what took its place",
        "shared/nameplate/campaign/mistakes.py",
        'NEW_KEYS.get(re.sub(r"\\[\\d+\\]", "", place))',
        "NEW_KEYS.get(place)",
        "shared/campaign/test_campaign.py",
    ),
    # A model of the user's in a campaign.
    Mutant(
        "what a killed relay stood for is ended, too",
        "services/challenge/nameplate_challenge/relay.py",
        '(call / "end").touch()',
        "pass",
        "services/challenge/test_pod.py",
    ),
    Mutant(
        "a model's pod serves one connection at a time",
        "services/challenge/nameplate_challenge/attendant.py",
        "if not self._has_taken or not self.attendant.is_ready:",
        "if not self.attendant.is_ready:",
        "services/challenge/test_pod.py",
    ),
    Mutant(
        "what ran in a container that was started again is over",
        "services/challenge/nameplate_challenge/agent.sh",
        '&& echo 137 >"$call/code"',
        "&& true",
        "services/challenge/test_pod.py",
    ),
    Mutant(
        "where models have pods, no command runs in ours",
        "services/challenge/nameplate_challenge/challenge_step.py",
        "if where := os.environ.get(MODELS_VARIABLE):",
        "if where := None:",
        "services/challenge/test_steps.py",
    ),
    Mutant(
        "only members of the cohort are challenged",
        "services/challenge/nameplate_challenge/challenge_step.py",
        "if one.exam in here]",
        "]",
        "services/challenge/test_steps.py",
    ),
    Mutant(
        "a model without pods is refused by the plan",
        "services/cluster/nameplate_cluster/plan_step.py",
        "if installed is not None and name not in installed.split():",
        "if installed is None:",
        "services/cluster/test_plan_step.py",
    ),
    # Exams from a PACS, archives, buckets and volumes.
    Mutant(
        "what is done of a shard outlives it",
        f"{INGEST}/results/kept.py",
        "        self._outputs.save_kept(self._key(outcome.study), to_json(kept))",
        "        pass",
        f"{INGEST_TESTS}/results/test_kept.py",
    ),
    Mutant(
        "a study that is refused for now holds up no other",
        f"{INGEST}/order.py",
        "        again.append(work)\n",
        "        raise TryAgain(_reason(outcome))\n",
        f"{INGEST_TESTS}/results/test_kept.py",
    ),
    Mutant(
        "refusals that are known do not end a run",
        f"{INGEST}/order.py",
        "        if work.exam in known:",
        "        if False:",
        f"{INGEST_TESTS}/results/test_kept.py",
    ),
    Mutant(
        "no image of another study is taken",
        f"{INGEST}/sources/arrivals.py",
        "        if text(names.get(STUDY_UID)) != self._uid:",
        "        if False:",
        f"{INGEST_TESTS}/sources/test_dimse.py",
    ),
    Mutant(
        "a PACS is told of images that were not taken",
        f"{INGEST}/sources/dimse_receiver.py",
        "_STORED if is_ours else _NOT_OURS",
        "_STORED",
        f"{INGEST_TESTS}/sources/test_dimse.py",
    ),
    Mutant(
        "a study with more or fewer images than were listed is another one",
        f"{INGEST}/sources/pacs.py",
        "        if unsent or (study.files and came != study.files):",
        "        if unsent:",
        f"{INGEST_TESTS}/sources/test_dimse.py",
    ),
    Mutant(
        "no study is fetched faster than allowed",
        f"{INGEST}/sources/throttle.py",
        "        return max(self._next - at, seconds_until_open(self._limits, now), 0.0)",
        "        return max(seconds_until_open(self._limits, now), 0.0)",
        f"{INGEST_TESTS}/sources/test_throttle.py",
    ),
    Mutant(
        "a token goes to no other server",
        f"{INGEST}/sources/web_session.py",
        "                if _origin(target) != _origin(url):",
        "                if False:",
        f"{INGEST_TESTS}/sources/test_dicomweb.py",
    ),
    Mutant(
        "no account of another program is sent",
        f"{INGEST}/sources/web_session.py",
        "        self.trust_env = False",
        "        self.trust_env = True",
        f"{INGEST_TESTS}/sources/test_dicomweb.py",
    ),
    Mutant(
        "a packed archive is read once for all studies",
        f"{INGEST}/sources/archived.py",
        "        for home, together in passes_of(studies, self.place):",
        "        for home, together in ():",
        f"{INGEST_TESTS}/sources/test_one_pass.py",
    ),
    Mutant(
        "studies that are mixed do not fill the disk",
        f"{INGEST}/sources/one_pass.py",
        "            self._give_up()\n",
        "            pass\n",
        f"{INGEST_TESTS}/sources/test_one_pass.py",
    ),
    Mutant(
        "a name that leads out of an archive is refused",
        f"{INGEST}/sources/members.py",
        '        if path.is_absolute() or ".." in path.parts or _DRIVE.match(name):',
        "        if False:",
        f"{INGEST_TESTS}/sources/test_members.py",
    ),
    Mutant(
        "an archive that becomes too much is refused",
        f"{INGEST}/archive/limits.py",
        "        if self._bytes < 0:",
        "        if False:",
        f"{INGEST_TESTS}/sources/test_members.py",
    ),
    Mutant(
        "a volume that changed since it was listed is refused",
        f"{INGEST}/sources/volumes.py",
        "            if now != study.prints:",
        "            if False:",
        f"{INGEST_TESTS}/sources/test_volumes.py",
    ),
    Mutant(
        "a file with uneven slices is not taken for the one that was mended",
        f"{INGEST}/sources/volume_files.py",
        "            if match is not None and match.file in better:",
        "            if False:",
        f"{INGEST_TESTS}/sources/test_volume_files.py",
    ),
    Mutant(
        "a census shows no small count",
        f"{INGEST}/census/suppress.py",
        '    return SMALL if 0 < count < LEAST else f"{count:,}"',
        '    return f"{count:,}"',
        f"{INGEST_TESTS}/census/test_suppress.py",
    ),
    Mutant(
        "an address that may hold a password is not quoted",
        "shared/nameplate/campaign/sources/named.py",
        '    return text if plain or not at else "the source"',
        "    return text",
        "shared/campaign/sources/test_named.py",
    ),
    Mutant(
        "sums are one thread's in every process",
        f"{SERVICE}/arithmetic.py",
        'os.environ[variable] = "1"',
        'os.environ.setdefault(variable, "1")',
        "shared/service/test_arithmetic.py",
    ),
    Mutant(
        "routines are the same whatever the environment says",
        f"{SERVICE}/arithmetic.py",
        'os.environ["OPENBLAS_CORETYPE"] = _CORE',
        'os.environ.setdefault("OPENBLAS_CORETYPE", _CORE)',
        "shared/service/test_arithmetic.py",
    ),
    Mutant(
        "every service settles it before it loads anything",
        f"{SERVICE}/main.py",
        "    settle_arithmetic()\n    try:",
        "    try:",
        "shared/service/test_arithmetic.py",
    ),
    Mutant(
        "what a kill left half-written can be deleted",
        "shared/nameplate/whole.py",
        "Path(place, name).unlink(missing_ok=True)",
        "pass",
        "shared/test_whole.py",
    ),
    Mutant(
        "a variance that few patients make has few degrees of freedom",
        "shared/nameplate/stats/contrast.py",
        "(max(patients - 1, 1) if runs_vary else _borne_by(total))",
        "max(patients - 1, 1)",
        "shared/stats/test_contrast.py",
    ),
    Mutant(
        "a count is no less well known where few went wrong",
        f"{EVALUATION}/audit/figure.py",
        "df = most if self.is_count and not self._runs_vary else min(df, most)",
        "df = min(df, most)",
        "services/evaluation/audit/test_figure.py",
    ),
    Mutant(
        "each share of a difference has its own degrees of freedom",
        "shared/nameplate/stats/share.py",
        "a.interval(confidence), b.interval(confidence)",
        "a.interval(confidence), Share(b.value, b.variance, b.units, a.df).interval(confidence)",
        "shared/stats/test_share.py",
    ),
)


class Invalid(Exception):
    """What was found says nothing about any promise."""


@contextmanager
def copy_of_product() -> Iterator[Path]:
    """A folder with shared/ and services/ as they are here."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for top in PRODUCT:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(ROOT / top, Path(folder) / top, ignore=ignored)
        yield Path(folder)


def environment_of(copy: Path) -> dict[str, str]:
    """An environment whose Python imports the product from a copy."""
    folders = [copy / "shared", *sorted(path for path in (copy / "services").iterdir() if path.is_dir())]
    path = os.pathsep.join(map(str, folders))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def check_imports(copy: Path) -> None:
    """Raise Invalid unless every package of the product comes from the copy, as pytest will find it."""
    packages = ["nameplate", *(path.name for path in copy.glob("services/*/nameplate_*"))]
    code = (
        "import importlib.util, sys\nfor name in sys.argv[1:]: print(importlib.util.find_spec(name).origin)"
    )
    command = [sys.executable, "-c", code, *packages]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment_of(copy), capture_output=True, text=True, check=True
    )
    for name, origin in zip(packages, ran.stdout.splitlines(), strict=True):
        if not Path(origin).resolve().is_relative_to(copy.resolve()):
            raise Invalid(f"{name} is imported from {origin}, not from the copy")


def apply(mutant: Mutant, copy: Path) -> None:
    """Change the one line; raises Invalid when it is not found exactly once."""
    path = copy / mutant.file
    text = path.read_text()
    if (count := text.count(mutant.line)) != 1:
        raise Invalid(f"found {count} times in {mutant.file}, expected once: {mutant.line.strip()!r}")
    path.write_text(text.replace(mutant.line, mutant.instead))


def run_tests(copy: Path, *files: str) -> tuple[int | None, str]:
    """pytest's exit code, None when the time was over, and the last lines that it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"tests/{name}" for name in files]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment_of(copy), capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, ""
    return ran.returncode, "\n".join(ran.stdout.splitlines()[-5:])


def check_unchanged(files: Sequence[str]) -> None:
    """Raise Invalid unless the tests pass on a copy of the product as it is."""
    with copy_of_product() as copy:
        check_imports(copy)
        code, tail = run_tests(copy, *files)
        if code != 0:
            raise Invalid(f"the tests do not pass without a change:\n{tail}")


def outcome_of(mutant: Mutant) -> str:
    """Caught, with the test that failed first, or SURVIVED, or why neither can be said."""
    try:
        with copy_of_product() as copy:
            apply(mutant, copy)
            code, tail = run_tests(copy, mutant.test)
    except Invalid as invalid:
        return f"INVALID: {invalid}"
    if code in (FAILED, None):
        failed = re.findall(r"^(?:FAILED|ERROR) \S+?::(\w+)", tail, re.MULTILINE)
        return f"caught: {failed[0] if failed else 'the time was over'}"
    return "SURVIVED" if code == 0 else f"INVALID: pytest ended with {code}: {tail}"


def main(words: Sequence[str]) -> int:
    """Print a line a mutant as they end, then how many there were."""
    chosen = [
        mutant
        for mutant in MUTANTS
        if not words or any(word in " ".join((mutant.promise, mutant.file, mutant.test)) for word in words)
    ]
    began = time.monotonic()
    try:
        check_unchanged(sorted({mutant.test for mutant in chosen}))
    except Invalid as invalid:
        print(invalid, file=sys.stderr)
        return 1
    caught = 0
    with ThreadPoolExecutor(PROCESSES) as pool:
        for mutant, outcome in zip(chosen, pool.map(outcome_of, chosen), strict=True):
            print(f"{mutant.promise:<54} {outcome}", flush=True)
            caught += outcome.startswith("caught")
    print(f"\n{caught} of {len(chosen)} caught, {time.monotonic() - began:.0f} s")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

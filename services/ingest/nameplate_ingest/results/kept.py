"""What the shards of a campaign have done so far, in its store: nothing is fetched again without need."""

import base64
from collections.abc import Collection
from collections.abc import Set as AbstractSet

from pydantic import ValidationError

from nameplate.campaign.ingest import IngestSettings
from nameplate.job.outputs import Outputs
from nameplate.records import Record, to_json
from nameplate.steps.ingest import IMAGE, TARGET
from nameplate_ingest.results.journal import Outcome, Run, run_of
from nameplate_ingest.results.output import Output


class Kept(Record):
    """One study that is done."""

    run: Run
    """What decided its result beside the study."""
    outcome: Outcome
    pictures: dict[str, str]
    """PNG, in base64, of a slice of each refused series, by its id."""


class KeptStudies:
    """A study's images are stored when it is done, long before its shard is; beside them, what became of it.

    This holds pseudonyms, keyed digests, and what the files of lines hold. It outlives the job, so that a new
    exam in a source costs that exam alone.
    """

    def __init__(
        self, outputs: Outputs, output: Output, cohort: str, settings: IngestSettings, key: bytes
    ) -> None:
        self._outputs, self._output, self._cohort = outputs, output, cohort
        self._run = run_of("", settings, key)
        self.refused: set[str] = set()
        """Studies that an earlier attempt was not given."""

    studies: AbstractSet[str] = frozenset()
    suspects: AbstractSet[str] = frozenset()

    def start(self, study: str) -> None:
        """Nothing to note: the attempts of a pod are counted elsewhere."""

    def outcome(self, study: str, digest: str) -> Outcome | None:
        """What became of a study, if it is done, is the same, and what it wrote is still whole."""
        try:
            data = self._outputs.load_kept(self._key(study))
            kept = None if data is None else Kept.model_validate_json(data)
        except ValidationError:
            return None  # of an older version, or damaged: done again
        if kept is None or kept.run != self._run or kept.outcome.digest != digest:
            return None
        if kept.outcome.refused_for_now:
            self.refused.add(study)
            return None
        for key, sha256 in self._files(kept.outcome).items():
            if not self._outputs.write_again(key, sha256):
                return None
        for name, picture in kept.pictures.items():
            self._output.put(self._output.refused / f"{name}.png", base64.b64decode(picture))
        return kept.outcome

    def add(self, outcome: Outcome) -> None:
        """Store what a study has written, and then that it is done, or that it was not given."""
        paths = {
            IMAGE: self._output.images / f"{outcome.study}.nii.gz",
            TARGET: self._output.target(outcome.study),
        }
        for file, path in paths.items():
            if path.exists():
                self._outputs.write_file(file.key(cohort=self._cohort, exam=outcome.study), path)
                path.unlink()
        if outcome.failed and not outcome.refused_for_now:
            return
        pictures = {}
        for row in outcome.rows:
            path = self._output.refused / f"{row.id}.png"
            if path.exists():
                pictures[row.id] = base64.b64encode(path.read_bytes()).decode()
        kept = Kept(run=self._run, outcome=outcome, pictures=pictures)
        self._outputs.save_kept(self._key(outcome.study), to_json(kept))

    def finish(self, exams: Collection[str], targets: Collection[str], studies: Collection[str]) -> None:
        """Nothing to tidy: what is no longer of the cohort is not committed, and costs its place alone."""

    def _key(self, study: str) -> str:
        return f"studies/{self._cohort}/{study}.json"

    def _files(self, outcome: Outcome) -> dict[str, str]:
        """The stored files of a study with their SHA-256."""
        digests = {IMAGE: outcome.image, TARGET: outcome.target_image}
        return {
            file.key(cohort=self._cohort, exam=outcome.study): sha256
            for file, sha256 in digests.items()
            if sha256 is not None
        }

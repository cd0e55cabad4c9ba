"""The step ``training``: one run, resumed from its checkpoint if there is one."""

import logging

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.training import RUN, VALIDATION, WEIGHTS, Epoch, TrainingJob
from nameplate_training.checkpoint import written
from nameplate_training.packs import fetch_pack
from nameplate_training.train import train_run

logger = logging.getLogger(__name__)


def training(job: TrainingJob, inputs: Inputs, outputs: Outputs) -> None:
    """Train one run."""
    checkpoints = outputs.load_checkpoints()
    stored = written(checkpoints)

    def save() -> None:
        nonlocal stored
        if (now := written(checkpoints)) != stored:
            outputs.save_checkpoints(checkpoints)
            stored = now

    def on_epoch(epoch: Epoch) -> None:
        logger.info("epoch", extra=epoch.model_dump())
        save()

    try:
        trained = train_run(
            job,
            fetch_pack(inputs, job.cell),
            checkpoint_folder=checkpoints,
            should_stop=outputs.should_stop,
            on_epoch=on_epoch,
        )
    finally:
        save()
    outputs.write(WEIGHTS.key(run=job.run), trained.weights)
    VALIDATION.write(outputs, trained.predictions, run=job.run)
    RUN.write(outputs, trained.run, run=job.run)
    outputs.tell(trained=1, converged=int(trained.run.outcome == "converged"))

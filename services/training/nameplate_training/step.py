"""The step of a campaign: one training run."""

import logging

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.train import RunIdentity, train_run
from nameplate.packs import fetch_pack
from nameplate.plan import Cell
from nameplate.records import Epoch, to_jsonl

logger = logging.getLogger(__name__)


def training(context: JobContext) -> None:
    """Train one run, resuming from its checkpoint where there is one."""
    cell, seed = Cell.of(context.job.parameters), context.number("seed")
    work = context.load_work()
    keep = context.campaign.experiment(cell.experiment).training.checkpoint_epochs

    def on_epoch(epoch: Epoch) -> None:
        logger.info("epoch", extra=epoch.model_dump())
        if epoch.epoch % keep == 0:
            context.save_work(work)

    try:
        trained = train_run(
            campaign_seed=context.campaign.seed,
            job=f"{cell.id}/s{seed:03d}",
            experiment=context.campaign.experiment(cell.experiment),
            dataset=cell.dataset,
            pack=fetch_pack(context, cell.cohort, cell.experiment, cell.dataset),
            training_set=cell.training_set,
            identity=RunIdentity(
                experiment=cell.experiment,
                cohort=cell.cohort,
                dataset=cell.dataset,
                training_set=cell.training_set,
                group=cell.group,
                seed=seed,
                round=context.number("round"),
            ),
            checkpoint_folder=work,
            should_stop=context.should_stop,
            on_epoch=on_epoch,
        )
    finally:
        context.save_work(work)
    context.write(keys.run(cell.id, seed, "weights.pt"), trained.weights)
    context.write(keys.run(cell.id, seed, "predictions-val.jsonl"), to_jsonl(trained.predictions))
    context.write(keys.run(cell.id, seed, "run.json"), trained.run.model_dump_json(indent=1).encode() + b"\n")

"""The steps of a campaign: one training run, and the judge of a cell's runs."""

import logging

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.rounds import judge_round
from nameplate.packs import fetch_pack
from nameplate.plan import Cell
from nameplate.records import Epoch, Run, to_jsonl

logger = logging.getLogger(__name__)


def training(context: JobContext) -> None:
    """Train one run, resuming from its checkpoint where there is one."""
    # Imported here: the judge, which shares this module, needs no torch.
    from nameplate.learn.train import RunIdentity, train_run

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


def judge(context: JobContext) -> None:
    """Count what has converged, choose what is kept, and ask for another round where it takes one."""
    cell, number = Cell.of(context.job.parameters), context.number("round")
    runs = [
        Run.model_validate_json(context.read(output.key))
        for output in context.inputs
        if output.key.endswith("/run.json")
    ]
    rounds = context.campaign.experiment(cell.experiment).rounds
    selection = judge_round(runs, rounds, number)
    context.write(keys.selection(cell.id, number), selection.model_dump_json(indent=1).encode() + b"\n")

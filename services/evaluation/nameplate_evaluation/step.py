"""The step of a campaign: predictions of a cell's kept runs on the test split."""

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.train import predict_run
from nameplate.packs import fetch_pack
from nameplate.plan import Cell
from nameplate.records import Run, Selection, to_jsonl


def evaluation(context: JobContext) -> None:
    """Predict the test split with every kept run of the cell."""
    cell = Cell.of(context.job.parameters)
    experiment = context.campaign.experiment(cell.experiment)
    pack = fetch_pack(context, cell.cohort, cell.experiment, cell.dataset)
    verdict = next(output.key for output in context.inputs if "/selection-r" in output.key)
    selection = Selection.model_validate_json(context.read(verdict))
    for seed in selection.kept:
        run = Run.model_validate_json(context.read(keys.run(cell.id, seed, "run.json")))
        predictions = predict_run(
            campaign_seed=context.campaign.seed,
            job=f"{cell.id}/s{run.seed:03d}",
            experiment=experiment,
            pack=pack,
            weights=context.read(keys.run(cell.id, seed, "weights.pt")),
            splits=("test",),
        )
        context.write(keys.test_predictions(cell.id, seed), to_jsonl(predictions))

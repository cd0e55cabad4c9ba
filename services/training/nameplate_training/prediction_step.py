"""The step ``prediction``: what a cell's kept runs predict for the test split."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.prediction import TEST, PredictionJob
from nameplate.steps.selection import SELECTION
from nameplate.steps.training import WEIGHTS
from nameplate_training.packs import fetch_pack
from nameplate_training.train import predict_run


def prediction(job: PredictionJob, inputs: Inputs, outputs: Outputs) -> None:
    """Predict the test split with every kept run of the cell."""
    pack = fetch_pack(inputs, job.cell)
    (selection,) = SELECTION.read_all(inputs, cell=job.cell)
    for seed in selection.kept:
        run = job.cell.run(seed)
        weights = inputs.read(WEIGHTS.key(run=run))
        predictions = predict_run(job.campaign_seed, job.learning, pack, weights, splits=("test",))
        TEST.write(outputs, predictions, run=run)

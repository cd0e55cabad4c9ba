"""The step ``prediction``: what a cell's kept runs predict for the test split, and from which features."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.prediction import FEATURES, TEST, PredictionJob
from nameplate.steps.selection import SELECTION
from nameplate.steps.training import RUN, WEIGHTS
from nameplate_training.features import features_bytes
from nameplate_training.networks import check_code
from nameplate_training.packs import fetch_pack
from nameplate_training.train import predict_run


def prediction(job: PredictionJob, inputs: Inputs, outputs: Outputs) -> None:
    """Predict the test split with every kept run of the cell."""
    pack = fetch_pack(inputs, job.cell)
    (selection,) = SELECTION.read_all(inputs, cell=job.cell)
    for seed in selection.kept:
        run = job.cell.run(seed)
        trained = RUN.read(inputs, run=run)
        check_code(job.learning.network, trained.versions)
        weights = inputs.read(WEIGHTS.key(run=run))
        predicted = predict_run(job.campaign_seed, job.learning, pack, weights, split="test")
        TEST.write(outputs, predicted.predictions, run=run)
        outputs.write(FEATURES.key(run=run), features_bytes(predicted.features))

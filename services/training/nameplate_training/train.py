"""One training run from settings to weights, and a trained run's predictions.

Everything random comes from named streams of (campaign seed, job), so a run repeats bit by bit on one
kind of machine with a fixed number of threads, even if it was interrupted and resumed.
"""

import hashlib
import logging
import math
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import nameplate
from nameplate.campaign.experiment import LearningSettings
from nameplate.errors import CohortError, TryAgain, UserError
from nameplate.job.result import digest_of
from nameplate.pack.packed import Pack
from nameplate.records import Split
from nameplate.stats.metrics import accuracy, auroc
from nameplate.steps.training import Epoch, Prediction, Run, TrainingJob
from nameplate.streams import stream, stream_seed
from nameplate_training.batches import Batch, Batches, divided
from nameplate_training.checkpoint import is_due, load_checkpoint, save_checkpoint
from nameplate_training.convergence import assess
from nameplate_training.exams import training_rows
from nameplate_training.features import LastFeatures
from nameplate_training.networks import build_network, code_of, parameters_of
from nameplate_training.networks.foreign import ForeignNetwork
from nameplate_training.norm import renew_norms
from nameplate_training.predict import Evaluation, evaluate, loss_of, precision, predictions_of
from nameplate_training.schedule import rate_at
from nameplate_training.weights import load_weights, weights_bytes

logger = logging.getLogger(__name__)

LIBRARIES = ("torch", "monai")
"""Their versions are kept with the run: the machine that writes the report may have others, or none."""
GPU_VARIABLE = "NAMEPLATE_EXPECTS_GPU"
"""Environment variable that a cluster sets if it provides a GPU."""


class Interrupted(TryAgain):
    """The run was asked to stop; its checkpoint is written, and running it again resumes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """The result of a run."""

    run: Run
    weights: bytes
    """For ``predict_run``; the same run always gives the same bytes."""
    predictions: tuple[Prediction, ...]
    """For all validation exams, also those that do not count. Empty for a diverged run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedRun:
    """What a trained run makes of some exams, both in the pack's order."""

    predictions: tuple[Prediction, ...]
    features: NDArray[np.float32]
    """(exams, features): the network's last features, see ``features.LastFeatures``."""


def train_run(
    job: TrainingJob,
    pack: Pack,
    *,
    checkpoint_folder: Path | None,
    should_stop: Callable[[], bool],
    on_epoch: Callable[[Epoch], None],
) -> TrainedRun:
    """Train one network and assess it; resumes from a checkpoint of this exact run if there is one.

    It learns from the exams of its arm; all validation exams count for its assessment, or only those of the
    arm's levels. After each epoch the checkpoint is written, if it is due, and then ``on_epoch`` is called.
    Raises Interrupted soon after ``should_stop`` turns true, and CohortError when the pack lacks exams.
    """
    learning, settings = job.learning, job.learning.training
    device = _prepare(learning)
    rows, validation = training_rows(job, pack), pack.rows("val", job.counted_levels)
    if len(rows) < 2 or not validation:
        raise CohortError(
            f"{job.run}: {len(rows)} training and {len(validation)} validation exams of "
            f"{job.cell.training_set!r}; "
            "needs at least 2 and 1"
        )
    batches = Batches(
        campaign_seed=job.campaign_seed, run=job.run, learning=learning, pack=pack, device=device
    )
    norm_rows = _norm_rows(job, rows)

    torch.manual_seed(stream_seed(job.campaign_seed, job.run, "torch") % 2**63)
    network = build_network(learning.task, learning.network, learning.input, pack.spatial)
    network = _placed(network, learning, device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate, fused=True)
    steps = -(-len(rows) // settings.batch)
    epoch, step, splits = 1, 0, 1
    history: list[Epoch] = []
    losses: list[Tensor] = []
    diverged: str | None = None

    run_digest, state = "", None
    if checkpoint_folder is not None:
        run_digest = _digest(job, pack, (*rows, *validation), device)
        state = load_checkpoint(checkpoint_folder, run_digest)
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["device_random"], device)
        epoch, step, splits = state["epoch"], state["step"], state["splits"]
        history = [Epoch(**row) for row in state["history"]]
        losses = list(state["losses"].to(device))
        logger.info("resumed", extra={"epoch": epoch, "step": step})

    def save() -> None:
        if checkpoint_folder is None:
            return
        state: dict[str, Any] = {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            # Of a network with dropout, which draws where it is.
            "device_random": torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.empty(0),
            "epoch": epoch,
            "step": step,
            "splits": splits,
            "history": [row.model_dump() for row in history],
            "losses": torch.stack(losses).cpu() if losses else torch.empty(0),
            "job": job.model_dump_json(),
            "code": nameplate.__version__,
        }
        save_checkpoint(checkpoint_folder, run_digest, state)

    network.train()
    saved = time.perf_counter()
    while epoch <= settings.epochs:
        began, waited = time.perf_counter(), 0.0
        order = batches.of_epoch(rows, epoch)
        while step < len(order):
            before = time.perf_counter()
            batch = batches.training(order[step], epoch)
            waited += time.perf_counter() - before

            for group in optimizer.param_groups:
                group["lr"] = rate_at(settings, (epoch - 1) * steps + step, settings.epochs * steps)
            loss, splits = _backward(network, batch, learning, device, splits)
            optimizer.step()
            losses.append(loss)
            step += 1
            if should_stop():
                save()
                raise Interrupted(f"{job.run}: stopped in epoch {epoch} after step {step}")

        train_losses = torch.stack(losses).double().cpu().numpy()
        diverged = _divergence(train_losses, epoch)
        if diverged is None:
            with precision(learning, device):
                renew_norms(network, _norm_inputs(batches, norm_rows, splits))
            evaluation = evaluate(network, batches, validation)
            if not math.isfinite(evaluation.loss) or not np.isfinite(evaluation.scores).all():
                diverged = f"validation loss was {evaluation.loss} after epoch {epoch}"
        if diverged is not None:
            logger.warning("diverged", extra={"reason": diverged})
            break
        rate = rate_at(settings, epoch * steps - 1, settings.epochs * steps)
        row = _epoch_row(learning, pack, validation, epoch, rate, train_losses, evaluation)
        history.append(row)
        seconds = time.perf_counter() - began
        logger.info(
            "trained an epoch",
            extra={
                "epoch": epoch,
                "of": settings.epochs,
                "seconds": round(seconds, 3),
                "data_share": round(waited / seconds, 4),
                "peak_mib": _peak_mib(device),
            },
        )
        epoch, step, losses = epoch + 1, 0, []
        if epoch > settings.epochs or is_due(device.type, time.perf_counter() - saved):
            save()
            saved = time.perf_counter()
        on_epoch(row)

    predictions: tuple[Prediction, ...] = ()
    if diverged is None:
        everyone = pack.rows("val")
        predictions = predictions_of(pack, everyone, _scores_by_level(network, batches, everyone))
    levels = job.counted_levels
    counted = [prediction for prediction in predictions if levels is None or prediction.level in levels]
    assessed = assess(learning.task, history, counted, job.convergence, diverged)
    run = Run(
        **dict(assessed),
        cell=job.cell,
        seed=job.seed,
        round=job.round,
        parameters=parameters_of(network),
        norm_batch=-(-max(len(part) for part in batches.of_epoch(rows, 1)) // splits),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        train_exams=len(rows),
        versions={name: version(name) for name in LIBRARIES} | code_of(learning.network),
        history=tuple(history),
    )
    return TrainedRun(run=run, weights=weights_bytes(network), predictions=predictions)


def predict_run(
    campaign_seed: int, learning: LearningSettings, pack: Pack, weights: bytes, *, split: Split
) -> PredictedRun:
    """Predictions and last features of a trained run for every exam of a split, in the pack's order.

    Raises UserError for weights that are damaged or belong to another network.
    """
    device = _prepare(learning)
    network = build_network(learning.task, learning.network, learning.input, pack.spatial)
    load_weights(network, weights)
    network = _placed(network, learning, device)
    batches = Batches(campaign_seed=campaign_seed, run=None, learning=learning, pack=pack, device=device)
    rows = pack.rows(split)
    with LastFeatures(network) as last:
        predictions = predictions_of(pack, rows, _scores_by_level(network, batches, rows))
    # The exams passed level by level, and a sort keeps the order within a level.
    passed = sorted(range(len(rows)), key=lambda place: pack.samples[rows[place]].level)
    return PredictedRun(predictions=predictions, features=last.rows(passed))


def _prepare(learning: LearningSettings) -> torch.device:
    """Choose the device and fix what repeatability depends on: threads, and the choice of GPU kernels."""
    torch.set_num_threads(learning.training.threads)
    if not torch.cuda.is_available():
        if os.environ.get(GPU_VARIABLE):
            # A card that is held and not used is no success, and nobody reads the log of one.
            raise UserError(
                "a GPU was asked for, and torch sees none: is it an image with CUDA (or ROCm), does the"
                " driver suit it, and does the pod have the runtime class of the GPUs?"
            )
        return torch.device("cpu")
    deterministic = learning.training.deterministic
    # cuDNN's search for the fastest kernel starts again for each size of batch. It takes as long as many
    # epochs, gains nothing in bfloat16, and chooses by the clock: two runs would add in different orders.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = deterministic
    # A warning only: 3-D pooling has no repeatable backward pass on CUDA.
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    return torch.device("cuda")


def _placed(network: nn.Module, learning: LearningSettings, device: torch.device) -> nn.Module:
    """The network on the device, with its weights in the layout of its inputs where we know its layers."""
    if isinstance(network, ForeignNetwork):
        return network.to(device)  # its layers may mix weights that no single layout fits
    layout = torch.channels_last if learning.what.sees == "slices" else torch.channels_last_3d
    placed: nn.Module = network.to(device).to(memory_format=layout)  # type: ignore[call-overload]
    return placed


def _norm_rows(job: TrainingJob, rows: Sequence[int]) -> list[int]:
    """The training rows that batch norm's statistics are estimated from; fixed for the run."""
    order = stream(job.campaign_seed, job.run, "norm").permutation(np.asarray(rows))
    chosen = order[: job.learning.training.norm_exams]
    return sorted(int(row) for row in chosen)


def _norm_inputs(batches: Batches, rows: Sequence[int], splits: int) -> Iterator[Tensor]:
    """In batches no larger than the parts that training takes: a card that cuts those holds no more."""
    for part in divided(np.asarray(rows), -(-batches.learning.training.batch // splits)):
        yield batches.fixed(part).images


def _backward(
    network: nn.Module, batch: Batch, learning: LearningSettings, device: torch.device, splits: int
) -> tuple[Tensor, int]:
    """Compute the gradients of a batch's mean loss; returns the loss, and the number of parts.

    A batch that does not fit on a GPU is halved until it does. The gradients add up to the whole
    batch's, but batch norm then sees one part at a time.
    """
    while True:
        network.zero_grad(set_to_none=True)
        try:
            total = torch.zeros((), device=device)
            parts = zip(batch.images.tensor_split(splits), batch.targets.tensor_split(splits), strict=True)
            for images, targets in parts:
                share = len(images) / len(batch.images)
                total += _part_backward(network, images, targets, share, learning, device)
            return total, splits
        except torch.OutOfMemoryError:
            if splits * 2 > len(batch.images) // 2:
                raise
            splits *= 2
            logger.warning("out of GPU memory: batch cut", extra={"parts": splits})
        torch.cuda.empty_cache()


def _part_backward(
    network: nn.Module,
    images: Tensor,
    targets: Tensor,
    share: float,
    learning: LearningSettings,
    device: torch.device,
) -> Tensor:
    """Add a part's gradients. On its own, so that running out of memory leaves nothing of it behind."""
    with precision(learning, device):
        logits = network(images)
    loss = loss_of(learning.task, logits.float(), targets) * share
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _divergence(losses: NDArray[np.float64], epoch: int) -> str | None:
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size == 0:
        return None
    return f"training loss was {losses[bad[0]]} at step {bad[0] + 1} of epoch {epoch}"


def _epoch_row(
    learning: LearningSettings,
    pack: Pack,
    validation: Sequence[int],
    epoch: int,
    rate: float,
    losses: NDArray[np.float64],
    evaluation: Evaluation,
) -> Epoch:
    labels = [pack.samples[row].label for row in validation]
    segmenting = learning.what.answers == "mask"
    hits = float(np.mean(evaluation.scores)) if segmenting else accuracy(labels, evaluation.scores)
    return Epoch(
        epoch=epoch,
        rate=rate,
        train_loss=float(losses.mean()),
        val_loss=evaluation.loss,
        val_accuracy=hits or 0.0,
        val_auroc=None if segmenting else auroc(labels, evaluation.scores),
    )


def _scores_by_level(network: nn.Module, batches: Batches, rows: Sequence[int]) -> list[float]:
    """Scores of rows, computed level by level.

    The last bits of a score may depend on the other exams in its batch. Batches of one level are the
    same for every training set.
    """
    scores: dict[int, float] = {}
    for level in sorted({batches.pack.samples[row].level for row in rows}):
        here = [row for row in rows if batches.pack.samples[row].level == level]
        scores.update(zip(here, evaluate(network, batches, here).scores, strict=True))
    return [scores[row] for row in rows]


def _peak_mib(device: torch.device) -> int:
    """Most memory used so far: of the GPU if there is one, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _digest(job: TrainingJob, pack: Pack, rows: Sequence[int], device: torch.device) -> str:
    """The run's name in its checkpoint: a digest of everything that decides its weights, images included."""
    images = hashlib.sha256()
    for row in rows:
        images.update(np.ascontiguousarray(pack.images[row]).data)
        if pack.masks is not None:
            images.update(np.ascontiguousarray(pack.masks[row]).data)
    return digest_of(
        {
            "run": job.run,
            "seed": job.campaign_seed,
            "learning": job.learning.model_dump(mode="json"),
            "exams": [[pack.samples[row].exam, pack.samples[row].label] for row in rows],
            "spatial": pack.spatial,
            "images": images.hexdigest(),
            "device": device.type,
            "torch": torch.__version__,
            "code": nameplate.__version__,
            "network": code_of(job.learning.network),
        }
    )

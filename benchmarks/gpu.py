"""Training on a GPU, measured with the product's own code at the size of campaigns/paper.yaml.

    python benchmarks/gpu.py --out FOLDER                   everything; about a quarter of an hour
    python benchmarks/gpu.py --out FOLDER --only train cut  some sections
    python benchmarks/gpu.py --out FOLDER --tiny            small networks and packs; also on a CPU

The packs (552 training, 68 validation and 162 test exams) are smooth heads with noise, made in a temporary
folder. Operations are ``network_cost``'s, a step three times a forward pass. A section that fails prints its
traceback and the next one starts; what is known so far is in FOLDER/gpu.json after each section.
docs/gpu.md has what it printed on an H200.
"""

import argparse
import hashlib
import io
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nameplate.campaign import load_campaign
from nameplate.campaign.experiment import ArmSettings, LearningSettings
from nameplate.campaign.networks import ResNet3dSettings, SliceCnnSettings, UNet3dSettings
from nameplate.image.window import Window
from nameplate.pack.cost import network_cost
from nameplate.pack.packed import Pack, open_pack, write_rows
from nameplate.plan.estimate import cell_estimates
from nameplate.steps.cell import Cell
from nameplate.steps.synthesis import Sample
from nameplate.steps.training import TrainingJob
from nameplate.streams import stream
from nameplate_training import device_rows, train
from nameplate_training.batches import Batch, Batches
from nameplate_training.checkpoint import PAUSE_SECONDS
from nameplate_training.networks import build_network
from nameplate_training.predict import evaluate, precision
from nameplate_training.train import Interrupted, TrainedRun, predict_run, train_run

ROOT = Path(__file__).parents[1]
PAPER = load_campaign(ROOT / "campaigns" / "paper.yaml")
EXPERIMENTS = {"factor": "manufacturer", "spheres": "spheres", "segmentation": "skull"}
TINY = {
    "factor": SliceCnnSettings(channels=(4, 8)),
    "spheres": ResNet3dSettings(channels=(4, 8), strides=(1, 2), hidden=10),
    "segmentation": UNet3dSettings(channels=(2, 4, 4, 4, 8)),
}
CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
OPTIONS = argparse.Namespace()
"""The command line's."""
Result = dict[str, Any]
START_SECONDS = 20
"""Assumed of a run's process until its first step."""


# --- what is trained ------------------------------------------------------------------------------------


def learning_of(task: str, *, epochs: int = 2, **training: Any) -> LearningSettings:
    """The paper's settings of a task with some changed; smaller with --tiny."""
    learning = PAPER.experiment(EXPERIMENTS[task]).learning
    changed: Result = {"epochs": epochs, **training}
    if OPTIONS.tiny:
        changed |= {"batch": 4, "norm_exams": 6}
        seen = learning.input.model_copy(update={"slices": 3 if task == "factor" else 16})
        learning = learning.model_copy(update={"network": TINY[task], "input": seen})
    return learning.model_copy(update={"training": learning.training.model_copy(update=changed)})


def job_of(learning: LearningSettings, exams: int | None = None) -> TrainingJob:
    """Run 0 of a cell that learns from all training exams, or from so many."""
    arm = ArmSettings(name="mixed", exams=exams)
    cell = Cell(experiment=learning.task, cohort="study", dataset="easy", training_set="mixed", group=0)
    thresholds = PAPER.experiment("spheres").convergence_of("easy")
    return TrainingJob(
        campaign_seed=1, cell=cell, seed=0, round=0, arm=arm, learning=learning, choose_on="all",
        convergence=thresholds,
    )  # fmt: skip


def samples_of(task: str) -> list[Sample]:
    """552 training, 68 validation and 162 test exams of two manufacturers."""
    sizes = (10, 5, 5) if OPTIONS.tiny else (40, 8, 8) if OPTIONS.few else (552, 68, 162)
    splits = [name for name, size in zip(("train", "val", "test"), sizes, strict=True) for _ in range(size)]
    return [
        Sample(
            exam=f"e{row:04d}", patient=f"p{row:04d}", level=("GE", "Siemens")[row % 2],
            split=split, label=1 - row % 2 if task == "factor" else row // 2 % 2,
            image="", mask=None, sphere=None, padded=0,
        )
        for row, split in enumerate(splits)
    ]  # fmt: skip


@cache
def pack_of(task: str) -> Pack:
    """The pack of a task: written at its first use, then mapped."""
    learning, samples = learning_of(task), samples_of(task)
    matrix = 32 if OPTIONS.tiny else 256
    slices = 16 if OPTIONS.tiny else 35 if task == "factor" else learning.input.slices
    folder, window = Path(OPTIONS.data) / task, learning.input.window
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        made = pool.map(
            lambda row: exam(row, samples[row].label, task, slices, matrix, window), range(len(samples))
        )
        exams = list(made)
    write_rows(folder / "images.npy", len(samples), (image for image, _ in exams))
    write_rows(folder / "masks.npy", len(samples), (mask for _, mask in exams))
    masks = folder / "masks.npy" if task == "segmentation" else None
    return open_pack(folder / "images.npy", masks, samples)


@cache
def grid(slices: int, matrix: int) -> NDArray[np.float32]:
    """Distance of every voxel (k, j, i) from the middle; 1 at the skull."""
    axes = [np.linspace(-1.3, 1.3, size, dtype=np.float32) for size in (slices, matrix, matrix)]
    return np.sqrt(sum(np.square(a) for a in np.meshgrid(*axes, indexing="ij", sparse=True)))  # type: ignore[no-any-return]


def exam(
    row: int, label: int, task: str, slices: int, matrix: int, window: Window
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """A moved head with noise, quantised, and its brain; a bright ball in the positives of spheres."""
    random = stream(1, "benchmark", row)
    far = np.roll(grid(slices, matrix), tuple(random.integers(-matrix // 20, matrix // 20, 2)), axis=(1, 2))
    brain = far < 0.9
    hu = np.where(brain, 35, np.where(far < 1.0, 900, -1000)).astype(np.int16)
    noise = 6 + 3 * (row % 2)
    hu += random.integers(-noise, noise + 1, hu.shape, dtype=np.int16)
    if task == "spheres" and label:
        k, j, i = (int(size * random.uniform(0.4, 0.6)) for size in hu.shape)
        r = max(matrix // 12, 2)
        hu[k - 2 : k + 3, j - r : j + r, i - r : i + r] += 25
    return window.quantise(hu), brain.astype(np.uint8)


# --- clocks ---------------------------------------------------------------------------------------------


def sync() -> None:
    if CUDA:
        torch.cuda.synchronize()


def stamp() -> Any:
    """Now, on the device's own clock."""
    if not CUDA:
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def ms_between(first: Any, second: Any) -> float:
    return first.elapsed_time(second) if CUDA else (second - first) * 1000  # type: ignore[no-any-return]


def fresh() -> None:
    """Give back the memory of what came before."""
    if CUDA:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_gib() -> float:
    return torch.cuda.max_memory_allocated() / 2**30 if CUDA else 0.0


def step_flop(task: str, exams: float) -> float:
    learning = learning_of(task)
    cost = network_cost(learning.network, learning.input, pack_of(task).spatial)
    assert cost is not None
    return 3 * exams * cost.forward_flop


class Watch(logging.Handler):
    """Follows a run from outside: a stamp after every step, what it logs, and when an epoch is saved."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__(logging.INFO)
        self.began, self.stop_after = time.perf_counter(), stop_after
        self.stamps: list[list[Any]] = [[]]
        self.first_step = 0.0
        self.epochs: list[Result] = []
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        if record.getMessage() == "trained an epoch":
            fields = ("seconds", "data_share", "peak_mib")
            self.epochs.append({name: getattr(record, name) for name in fields})
            self.epochs[-1]["logged"] = time.perf_counter()

    def should_stop(self) -> bool:
        self.first_step = self.first_step or time.perf_counter() - self.began
        self.stamps[-1].append(stamp())
        return self.stop_after is not None and sum(map(len, self.stamps)) == self.stop_after

    def on_epoch(self, _: Any) -> None:
        self.epochs[-1]["save_s"] = time.perf_counter() - self.epochs[-1].pop("logged")
        self.epochs[-1]["at"] = time.time()
        self.stamps.append([])

    def steps_ms(self, epoch: int) -> list[float]:
        """From the end of each step to the end of the next one."""
        sync()
        stamps = self.stamps[epoch]
        return [ms_between(a, b) for a, b in itertools.pairwise(stamps)]


def run(
    learning: LearningSettings, *, exams: int | None = None, stop_after: int | None = None,
    folder: Path | None = None,
) -> tuple[TrainedRun | None, Watch]:  # fmt: skip
    """One run of the product's; None if it was stopped."""
    fresh()
    watch = Watch(stop_after)
    train.logger.addHandler(watch)
    train.logger.setLevel(logging.INFO)
    try:
        made = train_run(
            job_of(learning, exams), pack_of(learning.task), checkpoint_folder=folder,
            should_stop=watch.should_stop, on_epoch=watch.on_epoch,
        )  # fmt: skip
    except Interrupted:
        return None, watch
    finally:
        train.logger.removeHandler(watch)
    return made, watch


# --- sections -------------------------------------------------------------------------------------------


def card() -> Iterator[Result]:
    """The card, and what it can do at most: matrix products and a copy, on random numbers."""
    yield {"torch": torch.__version__, "python": sys.version.split()[0], "cpus": os.cpu_count()}
    if CUDA:
        query = [
            "nvidia-smi",
            "--query-gpu=name,driver_version,memory.total,clocks.sm",
            "--format=csv,noheader",
        ]
        yield {"card": subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()}
        yield {
            "cudnn": torch.backends.cudnn.version(),
            "tf32_in_convolutions": torch.backends.cudnn.allow_tf32,
            "tf32_in_products": torch.backends.cuda.matmul.allow_tf32,
        }
    size = 8192 if CUDA else 256
    for name, dtype, tf32 in (
        ("bf16", torch.bfloat16, False),
        ("tf32", torch.float32, True),
        ("fp32", torch.float32, False),
    ):
        a, b = (torch.randn(size, size, device=DEVICE, dtype=dtype) for _ in range(2))
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = tf32
        ms = timed(lambda a=a, b=b: a @ b, 10)  # type: ignore[misc]
        torch.backends.cuda.matmul.allow_tf32 = before
        yield {"product": name, "tflops": 2 * size**3 / ms / 1e9}
    source = torch.randn(2**28 if CUDA else 2**16, device=DEVICE)
    target = torch.empty_like(source)
    yield {"copy_TB_s": 2 * source.nbytes / timed(lambda: target.copy_(source), 10) / 1e9}


def timed(action: Callable[[], object], repeats: int, warm: int = 3) -> float:
    """Milliseconds of an action, median of three rounds of ``repeats``."""
    for _ in range(warm):
        action()
    rounds = []
    for _ in range(3):
        first = stamp()
        for _ in range(repeats):
            action()
        last = stamp()
        sync()
        rounds.append(ms_between(first, last) / repeats)
    return median(rounds)


def forward() -> Iterator[Result]:
    """One forward pass on the GPU beside the CPU's in float32: norm of the difference over the norm."""
    for task, exams in (("factor", 8), ("spheres", 4), ("segmentation", 2)):
        learning = learning_of(task)
        network, batch = network_and_batch(task, learning, exams, torch.device("cpu"))
        torch.set_num_threads(os.cpu_count() or 1)
        with torch.no_grad():
            reference = network(batch.images)
            network, images = network.to(DEVICE), batch.images.to(DEVICE)
            for name, tf32, numbers in (
                ("float32", True, "float32"),
                ("float32 without TF32", False, "float32"),
                ("bfloat16", True, "bfloat16"),
            ):
                torch.backends.cudnn.allow_tf32 = tf32
                with precision(learning_of(task, precision=numbers), DEVICE):
                    found = network(images).float().cpu()
                error = float((found - reference).norm() / reference.norm())
                yield {"task": task, "numbers": name, "relative_error": error}
        torch.backends.cudnn.allow_tf32 = True
        torch.set_num_threads(1)


def network_and_batch(
    task: str, learning: LearningSettings, exams: int, device: torch.device, contiguous: bool = False
) -> tuple[nn.Module, Batch]:
    """A new network, always the same, and the first training exams, on a device."""
    pack = pack_of(task)
    torch.manual_seed(1)
    network = build_network(learning.task, learning.network, learning.input, pack.spatial)
    batches = Batches(campaign_seed=1, run="r", learning=learning, pack=pack, device=device)
    batch = batches.training(range(exams), 1)
    if contiguous:
        return network.to(device), Batch(batch.images.contiguous(), batch.targets)
    return train._placed(network, learning, device), batch


def steps() -> Iterator[Result]:
    """A training step on a batch that is on the GPU already, in several ways."""
    for task in OPTIONS.tasks:
        for numbers in ("float32", "bfloat16"):
            yield one_step(task, numbers=numbers)
            yield one_step(task, numbers=numbers, deterministic=True)


def otherwise() -> Iterator[Result]:
    """The same in ways that the product does not take."""
    for task in OPTIONS.tasks:
        yield one_step(task, numbers="float32", tf32=False)
        yield one_step(task, numbers="float32", layout="contiguous")
        for numbers in ("float32", "bfloat16"):
            yield one_step(task, numbers=numbers, search=True)


def compiled() -> Iterator[Result]:
    """The same with torch.compile."""
    for task in OPTIONS.tasks:
        for numbers in ("float32", "bfloat16"):
            yield one_step(task, numbers=numbers, compiled=True)


def one_step(
    task: str, *, numbers: str, layout: str = "channels last", search: bool = False,
    deterministic: bool = False, tf32: bool = True, compiled: bool = False,
) -> Result:  # fmt: skip
    """Median time of one way; ``search`` is cuDNN's search for the fastest kernel."""
    fresh()
    learning = learning_of(task, precision=numbers, deterministic=deterministic)
    train._prepare(learning)
    torch.backends.cudnn.benchmark = search and not deterministic
    torch.backends.cudnn.allow_tf32 = tf32
    exams = 3 if OPTIONS.tiny else 31
    network, batch = network_and_batch(task, learning, exams, DEVICE, layout == "contiguous")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    called: Any = torch.compile(network) if compiled else network

    def step() -> None:
        train._backward(called, batch, learning, DEVICE, 1)
        optimizer.step()

    began = time.perf_counter()
    step()
    sync()
    first = time.perf_counter() - began
    step()
    sync()
    once = time.perf_counter()
    step()
    sync()
    repeats = max(1, min(20, int(0.3 / (time.perf_counter() - once))))
    ms = timed(step, repeats, warm=0)
    torch.backends.cudnn.allow_tf32 = True
    torch.use_deterministic_algorithms(False)
    way = {
        "task": task,
        "numbers": numbers,
        "layout": layout,
        "search": search,
        "deterministic": deterministic,
    }
    way |= {"tf32": tf32} | ({"compiled": True} if compiled else {})
    return way | {
        "ms": ms,
        "first_s": first,
        "tflops": step_flop(task, exams) / ms / 1e9,
        "peak_GiB": peak_gib(),
    }


def profile() -> Iterator[Result]:
    """What a step spends the card's time on, operation by operation."""
    both = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    for task in OPTIONS.tasks:
        for numbers in ("float32", "bfloat16"):
            fresh()
            learning = learning_of(task, precision=numbers)
            train._prepare(learning)
            network, batch = network_and_batch(task, learning, 3 if OPTIONS.tiny else 31, DEVICE)
            for _ in range(2):
                train._backward(network, batch, learning, DEVICE, 1)
            sync()
            with torch.profiler.profile(activities=both if CUDA else both[:1], record_shapes=True) as seen:
                train._backward(network, batch, learning, DEVICE, 1)
                sync()
            for what, rows in (
                ("op", seen.key_averages(group_by_input_shape=True)),
                ("kernel", seen.key_averages()),
            ):
                here = [row for row in rows if ("CUDA" in str(row.device_type)) == (what == "kernel")]
                here.sort(key=lambda row: -row.self_device_time_total)
                for row in here[:22]:
                    shapes = str(row.input_shapes)[:150] if what == "op" else ""
                    yield {
                        "task": task, "numbers": numbers, "ms": row.self_device_time_total / 1000,
                        "calls": row.count, what: row.key[:150], "shapes": shapes,
                    }  # fmt: skip


def loader() -> Iterator[Result]:
    """Gathering a batch, by one process, without any training: from the mapped file, and on the card."""
    whole = device_rows.LARGEST_SHARE
    for task in OPTIONS.tasks:
        learning, pack = learning_of(task), pack_of(task)
        for share in (0.0, whole):
            device_rows.LARGEST_SHARE = share
            batches = Batches(campaign_seed=1, run="r", learning=learning, pack=pack, device=DEVICE)
            order = batches.of_epoch(pack.rows("train"), 1)
            for epoch in (1, 2):
                sync()
                began = time.perf_counter()
                for part in order:
                    batches.training(part, epoch)
                sync()
                ms = (time.perf_counter() - began) / len(order) * 1000
                yield {"task": task, "kept": share > 0, "epoch": epoch, "ms": ms}
            fresh()
    device_rows.LARGEST_SHARE = whole


def training() -> Iterator[Result]:
    """Two epochs of the product's ``train_run``; ms is a step in the second, with its data."""
    for task in OPTIONS.tasks:
        for numbers in ("float32", "bfloat16"):
            yield two_epochs(task, numbers)


def streamed() -> Iterator[Result]:
    """The same if no exam stays on the card."""
    share, device_rows.LARGEST_SHARE = device_rows.LARGEST_SHARE, 0.0
    for task in OPTIONS.tasks:
        yield {"kept": False} | two_epochs(task, "bfloat16")
    device_rows.LARGEST_SHARE = share


def two_epochs(task: str, numbers: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        made, watch = run(learning_of(task, precision=numbers), folder=Path(folder))
    assert made is not None
    ms = watch.steps_ms(1)
    exams = len(pack_of(task).rows("train")) / (len(ms) + 1)
    last, history = watch.epochs[-1], made.run.history
    return {
        "task": task, "numbers": numbers, "ms": median(ms), "ms_max": max(ms),
        "tflops": step_flop(task, exams) / median(ms) / 1e9, "first_step_s": watch.first_step,
        "epoch1_s": watch.epochs[0]["seconds"], "epoch2_s": last["seconds"],
        "steps_share": median(ms) * (len(ms) + 1) / 1000 / last["seconds"],
        "save_s": last["save_s"], "data_share": last["data_share"], "peak_GiB": peak_gib(),
        "norm_batch": made.run.norm_batch, "train_loss": [row.train_loss for row in history],
        "val_loss": [row.val_loss for row in history],
    }  # fmt: skip


def cut() -> Iterator[Result]:
    """A batch that does not fit is halved: the same loss and gradients as when it is cut by choice."""
    if not CUDA:
        yield {"skipped": "needs a GPU"}
        return
    total = torch.cuda.get_device_properties(0).total_memory
    for task in ("spheres", "segmentation"):
        learning = learning_of(task, precision="float32")
        train._prepare(learning)
        torch.backends.cudnn.benchmark = False
        found: dict[int, tuple[Tensor, Tensor]] = {}
        exams = 4 if OPTIONS.tiny else 32
        peaks = {}
        for splits in (1, 2, 4):
            fresh()
            network, batch = network_and_batch(task, learning, exams, DEVICE)
            loss, _ = train._backward(network, batch, learning, DEVICE, splits)
            found[splits] = (loss.cpu(), gradients(network))
            sync()
            peaks[splits] = torch.cuda.max_memory_reserved()
            del network, batch
        yield {"task": task, "parts": 1, "peak_GiB": peaks[1] / 2**30, "loss": float(found[1][0])}
        for limit in ((peaks[1] + peaks[2]) / 2, (peaks[2] + peaks[4]) / 2):
            fresh()
            network, batch = network_and_batch(task, learning, exams, DEVICE)
            torch.cuda.set_per_process_memory_fraction(min(limit / total, 1.0))
            try:
                began = time.perf_counter()
                loss, used = train._backward(network, batch, learning, DEVICE, 1)
                sync()
                seconds = time.perf_counter() - began
            finally:
                torch.cuda.set_per_process_memory_fraction(1.0)
            wanted = found.get(used, found[4])
            yield {
                "task": task, "limit_GiB": limit / 2**30, "parts": used, "loss": float(loss),
                "loss_error": float((loss.cpu() - wanted[0]).abs() / wanted[0].abs()),
                "gradient_error": float((gradients(network) - wanted[1]).norm() / wanted[1].norm()),
                "gradient_to_uncut": float((gradients(network) - found[1][1]).norm() / found[1][1].norm()),
                "seconds": seconds,
            }  # fmt: skip
            del network, batch
        # An evaluation under a limit that not even it fits into at once, and a whole run under it.
        fresh()
        network, _ = network_and_batch(task, learning, 2, DEVICE)
        rows, pack = pack_of(task).rows("val"), pack_of(task)
        batches = Batches(campaign_seed=1, run="r", learning=learning, pack=pack, device=DEVICE)
        whole = evaluate(network, batches, rows)
        sync()
        need, now = torch.cuda.max_memory_reserved(), torch.cuda.memory_allocated()
        torch.cuda.empty_cache()
        limit = now + (need - now) * 0.6
        torch.cuda.set_per_process_memory_fraction(limit / total)
        try:
            less = evaluate(network, batches, rows)
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        apart = max(abs(a - b) for a, b in zip(whole.scores, less.scores, strict=True))
        yield {
            "task": task,
            "evaluated_under_GiB": limit / 2**30,
            "needs_GiB": need / 2**30,
            "scores_apart": apart,
        }
        del network, batches
        fresh()
        torch.cuda.set_per_process_memory_fraction(min((peaks[2] + peaks[4]) / 2 / total, 1.0))
        try:
            made, watch = run(learning_of(task, epochs=1), exams=64 if not OPTIONS.tiny else None)
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        assert made is not None
        yield {
            "task": task,
            "whole_run": made.run.outcome,
            "norm_batch": made.run.norm_batch,
            "said": watch.messages[:4],
        }


def gradients(network: nn.Module) -> Tensor:
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.cat([g.detach().double().cpu().flatten() for g in grads])


def resume() -> Iterator[Result]:
    """Two identical runs, and one that was stopped in its second epoch and resumed."""
    for deterministic in (True, False):
        for task in OPTIONS.tasks:
            for numbers in ("float32", "bfloat16"):
                if task == "segmentation" and (not deterministic or numbers == "bfloat16"):
                    continue
                learning = learning_of(task, precision=numbers, deterministic=deterministic)
                exams = None if OPTIONS.tiny else 96
                first, _ = run(learning, exams=exams)
                again, _ = run(learning, exams=exams)
                with tempfile.TemporaryDirectory() as folder:
                    stopped, _ = run(learning, exams=exams, stop_after=4, folder=Path(folder))
                    resumed, watch = run(learning, exams=exams, folder=Path(folder))
                assert first
                assert again
                assert resumed
                assert stopped is None
                yield {
                    "task": task, "numbers": numbers, "deterministic": deterministic,
                    "repeats": first.weights == again.weights,
                    "resumes_equal": first.weights == resumed.weights,
                    "repeat_error": apart(first.weights, again.weights),
                    "resume_error": apart(first.weights, resumed.weights),
                    "resumed": watch.messages[0], "weights": hashlib.sha256(first.weights).hexdigest()[:12],
                    "val_loss": [made.run.history[-1].val_loss for made in (first, again, resumed)],
                }  # fmt: skip
    torch.use_deterministic_algorithms(False)


def apart(one: bytes, other: bytes) -> float:
    """Norm of the difference of two runs' weights over the norm."""
    a, b = (torch.load(io.BytesIO(data), weights_only=True) for data in (one, other))
    flat = [torch.cat([w[name].double().flatten() for name in sorted(a)]) for w in (a, b)]
    return float((flat[0] - flat[1]).norm() / flat[0].norm())


def two() -> Iterator[Result]:
    """Two runs at once on one card, each a process, beside one alone."""
    for task, epochs in (("factor", 30), ("spheres", 6)):
        if task not in OPTIONS.tasks:
            continue
        pack_of(task)
        for numbers in ("float32",):
            rates = {}
            for count in (1, 2):
                command = [
                    sys.executable,
                    __file__,
                    "--worker",
                    task,
                    numbers,
                    str(epochs),
                    "--data",
                    OPTIONS.data,
                ]
                command += ["--tiny"] if OPTIONS.tiny else []
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                workers = [subprocess.Popen(command, **pipes) for _ in range(count)]  # type: ignore[call-overload]
                for process in workers:
                    process.stdout.readline()  # it is ready
                ends = [json.loads(text.splitlines()[-1]) for text in together(workers)]
                # From when all have ended their second epoch until the first one is ready.
                start, stop = max(times[1] for times in ends), min(times[-1] for times in ends)
                done = sum(sum(1 for t in times if start < t <= stop) for times in ends)
                rates[count] = done / (stop - start) if stop > start else float("nan")
                yield {"task": task, "numbers": numbers, "processes": count, "epochs_per_s": rates[count]}
            yield {"task": task, "numbers": numbers, "two_over_one": rates[2] / rates[1]}


def together(workers: list[subprocess.Popen[str]]) -> list[str]:
    """Let all start at once; returns what they print."""
    for process in workers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate()[0] for process in workers]


def worker(task: str, numbers: str, epochs: int) -> None:
    """A process of ``two``: trains and prints when its epochs ended."""
    folder = Path(OPTIONS.data) / task
    pack = open_pack(folder / "images.npy", None, samples_of(task))
    watch = Watch()
    train.logger.addHandler(watch)
    train.logger.setLevel(logging.INFO)
    torch.zeros(1, device=DEVICE)
    print("ready", flush=True)
    sys.stdin.readline()
    train_run(
        job_of(learning_of(task, precision=numbers, epochs=epochs)), pack, checkpoint_folder=None,
        should_stop=lambda: False, on_epoch=watch.on_epoch,
    )  # fmt: skip
    print(json.dumps([epoch["at"] for epoch in watch.epochs]))


def predicting() -> Iterator[Result]:
    """``predict_run`` of the test exams; the validation exams get what the run itself gave them."""
    for task in OPTIONS.tasks:
        learning = learning_of(task, epochs=1)
        made, _ = run(learning)
        assert made is not None
        pack = pack_of(task)
        for _ in range(2):
            began = time.perf_counter()
            test = predict_run(1, learning, pack, made.weights, split="test").predictions
            seconds = time.perf_counter() - began
        again = predict_run(1, learning, pack, made.weights, split="val").predictions
        scores = [(a.score, b.score) for a, b in zip(again, made.predictions, strict=True)]
        yield {
            "task": task,
            "test_exams": len(test),
            "seconds": seconds,
            "as_in_training": max(abs(a - b) for a, b in scores),
        }


def campaign() -> Iterator[Result]:
    """GPU-hours of campaigns/paper.yaml from the epochs measured here, beside the estimate."""
    measured: list[Result] = RESULTS.get("training", [])
    for numbers in ("float32", "bfloat16"):
        hours: dict[str, float] = {}
        estimate = 0.0
        for row in cell_estimates(PAPER):
            experiment = PAPER.experiment(row.cell.experiment)
            known = [r for r in measured if r["task"] == experiment.task and r["numbers"] == numbers]
            if not known:
                return
            # Of an epoch's seconds, in proportion to the run's operations.
            full = step_flop(experiment.task, 552) + step_flop(experiment.task, 68 + 128) / 3
            seconds = row.flop_per_run / full * known[0]["epoch2_s"]
            saves = min(experiment.training.epochs, 1 + seconds / PAUSE_SECONDS)
            seconds += saves * known[0]["save_s"] + START_SECONDS
            hours[row.cell.experiment] = hours.get(row.cell.experiment, 0) + row.expected * seconds / 3600
            estimate += row.gpu_hours(40.0)
        total = sum(hours.values())
        yield {
            "numbers": numbers, "hours": hours, "all": total, "plan_says_at_40": estimate,
            "tflops_that_fit": 40 * estimate / total,
        }  # fmt: skip


SECTIONS: dict[str, tuple[Callable[[], Iterator[Result]], int]] = {
    "card": (card, 40),
    "forward": (forward, 60),
    "training": (training, 120),
    "streamed": (streamed, 60),
    "steps": (steps, 60),
    "loader": (loader, 40),
    "cut": (cut, 60),
    "resume": (resume, 80),
    "predicting": (predicting, 40),
    "profile": (profile, 60),
    "two": (two, 150),
    "campaign": (campaign, 10),
    "otherwise": (otherwise, 300),
    "compiled": (compiled, 300),
}
"""Each with the most seconds that it may take."""
RESULTS: dict[str, Any] = {}


def overdue(*_: object) -> None:
    raise TimeoutError("this section took too long")


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + " ".join(map(shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + " ".join(f"{name}={shown(part)}" for name, part in value.items()) + "}"
    return str(value)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), metavar="SECTION"
    )
    parser.add_argument(
        "--tasks", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS), metavar="TASK"
    )
    parser.add_argument("--tiny", action="store_true", help="small networks and packs")
    parser.add_argument("--few", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.parse_args(namespace=OPTIONS)
    if OPTIONS.worker:
        worker(OPTIONS.worker[0], OPTIONS.worker[1], int(OPTIONS.worker[2]))
        return
    if not CUDA and not OPTIONS.tiny:
        print("torch sees no GPU here; --tiny shows that the measurements work")
        return
    signal.signal(signal.SIGALRM, overdue)
    with tempfile.TemporaryDirectory() as folder:
        OPTIONS.data = OPTIONS.data or folder
        for name in OPTIONS.only:
            section, most = SECTIONS[name]
            rows = RESULTS[name] = []
            began = time.perf_counter()
            signal.alarm(most)
            try:
                for row in section():
                    rows.append(row)
                    print(
                        f"{name}: " + "  ".join(f"{key} {shown(value)}" for key, value in row.items()),
                        flush=True,
                    )
            except Exception:
                rows.append({"failed": traceback.format_exc()})
                print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
            finally:
                signal.alarm(0)
            print(f"{name}: took {time.perf_counter() - began:.1f} s", flush=True)
            if OPTIONS.out:
                OPTIONS.out.mkdir(parents=True, exist_ok=True)
                (OPTIONS.out / "gpu.json").write_text(json.dumps(RESULTS, indent=1))


if __name__ == "__main__":
    main()

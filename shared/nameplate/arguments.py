"""Arguments that the verbs of this machine and those of a cluster share."""

import argparse


def add_set_argument(parser: argparse.ArgumentParser) -> None:
    """``--set KEY=VALUE``, for `nameplate.overrides`."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, by its path in the file: cohorts.study.phantom.exams=60 (repeatable)",
    )


def add_gpu_tflops_argument(parser: argparse.ArgumentParser) -> None:
    """``--gpu-tflops``, for the estimate of GPU-hours."""
    parser.add_argument(
        "--gpu-tflops",
        type=_positive_number,
        default=40.0,
        help="sustained TFLOP/s of one GPU, for the estimate (default: 40)",
    )


def _positive_number(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value

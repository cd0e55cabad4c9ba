"""Arguments that several commands share."""

import argparse
from pathlib import Path


def add_set_argument(parser: argparse.ArgumentParser) -> None:
    """``--set KEY=VALUE``, for `nameplate.campaign.overrides`."""
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
        default=26.0,  # measured on an H200 in float32, starts included: docs/gpu.md
        help="sustained TFLOP/s of one GPU, for the estimate (default: 26; 36 with bfloat16)",
    )


def add_store_argument(parser: argparse.ArgumentParser) -> None:
    """``--store``, where it must be given."""
    parser.add_argument("--store", required=True, help="a folder or s3://bucket/prefix")


def add_pod_arguments(parser: argparse.ArgumentParser) -> None:
    """What every pod of a workflow is told besides its work."""
    add_store_argument(parser)
    parser.add_argument("--digest", help="SHA-256 that the campaign's file must have")
    parser.add_argument("--timing", type=Path, help="file for a line of JSON: where the time went")
    parser.add_argument(
        "--store-timeout",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long to keep asking a store that does not answer (default: 0)",
    )


def add_chunk_size_arguments(parser: argparse.ArgumentParser) -> None:
    """How many jobs a pod gets."""
    parser.add_argument(
        "--chunk-seconds",
        type=float,
        default=60,
        help="group small jobs until a chunk takes about this long (default: 60)",
    )
    parser.add_argument(
        "--max-chunks", type=int, help="most chunks of one step, or of one round of all arms together"
    )


def _positive_number(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value

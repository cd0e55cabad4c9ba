"""``nameplate phantom``: simulate a cohort into a folder of DICOM files."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.progress import Progress

from nameplate.campaign.sources.phantom import EFFECTS, PhantomSettings
from nameplate.errors import UserError
from nameplate.service.command import Command
from nameplate_phantom.scanner import catalogue
from nameplate_phantom.simulation import claim, write_cohort


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--exams", type=int, required=True, metavar="N", help="studies, of all manufacturers together"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the same seed gives the same bytes (1)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or one made by this command"
    )
    parser.add_argument(
        "--signature", type=float, default=1.0, metavar="X",
        help="dial of the manufacturers' differences, 0 to 10: 0 two names for one machine, 1 differences of "
        "published size, more exaggerates them (1)",
    )  # fmt: skip
    parser.add_argument(
        "--effect", action="append", default=[], metavar="NAME=X",
        help=f"a dial of its own, 0 to 10, for one effect (repeatable): {', '.join(EFFECTS)}",
    )  # fmt: skip
    parser.add_argument(
        "--twins", action="store_true", help="scan each head once by every manufacturer, with the same noise"
    )
    parser.add_argument(
        "--matrix", type=int, default=512, metavar="M", help="rows and columns of a slice (512)"
    )
    parser.add_argument(
        "--thin-mm", type=float, default=1.25, metavar="MM", help="slices of the bone series (1.25)"
    )
    parser.add_argument(
        "--bone-share",
        type=float,
        default=1.0,
        metavar="X",
        help="share of studies with a thin bone series (1)",
    )
    parser.add_argument(
        "--manufacturers", nargs="+", default=["GE", "Siemens"], metavar="NAME",
        help="manufacturers, assigned round-robin: GE, Siemens, Philips, Canon (GE Siemens)",
    )  # fmt: skip
    parser.add_argument(
        "--truth", action="store_true", help="also keep masks, noise-free volumes, parameters"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (1)")


def _effects(words: Sequence[str]) -> dict[str, float]:
    """The dials of ``--effect``, by the effect's name; raises UserError for a word that is not NAME=X."""
    dials: dict[str, float] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in EFFECTS:
            raise UserError(f"--effect: expected one of {', '.join(EFFECTS)} before '=', got {word!r}")
        if name in dials:
            raise UserError(f"--effect: {name} is given twice")
        try:
            dials[name] = float(value)
        except ValueError:
            raise UserError(f"--effect: expected {name}=X with X from 0 to 10, got {word!r}") from None
    return dials


def _refusal(error: ValidationError) -> UserError:
    """The first mistake in the settings, by the argument that it came from."""
    first = error.errors()[0]
    place = [str(part).replace("_", "-") for part in first["loc"]]
    if not place:
        # A rule about several settings; its text starts with the name of one.
        return UserError("--" + first["msg"].removeprefix("Value error, "))
    name = f"effect {first['loc'][1]}" if place[0] == "effects" else "-".join(place)
    return UserError(f"--{name}: {first['msg']}, got {first['input']!r}")


def _settings(arguments: Namespace) -> PhantomSettings:
    given = {
        "exams": arguments.exams,
        "signature": arguments.signature,
        "twins": arguments.twins,
        "manufacturers": tuple(arguments.manufacturers),
        "matrix": arguments.matrix,
        "thin_mm": arguments.thin_mm,
        "bone_share": arguments.bone_share,
        "effects": _effects(arguments.effect),
        "truth": arguments.truth,
    }
    try:
        return PhantomSettings.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from error


def _run(arguments: Namespace) -> int:
    settings = _settings(arguments)
    for manufacturer in settings.manufacturers:
        catalogue().check(manufacturer)
    claim(arguments.out)
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("simulating", total=settings.exams)
        write_cohort(
            settings,
            seed=arguments.seed,
            cohort="phantom",
            out=arguments.out,
            workers=arguments.workers,
            progress=lambda done, _: bar.update(task, completed=done),
        )
    files = sum(1 for path in arguments.out.rglob("*") if path.is_file())
    print(f"{settings.exams} studies, {files} files in {arguments.out}")  # noqa: T201 (the command's output)
    return 0


COMMAND = Command(
    description=(
        "Simulates head-CT studies of several manufacturers and writes them as DICOM, one file per slice: a "
        "localizer, a soft-tissue series (5 mm in most studies), a thin bone series, sometimes a screen "
        "capture or a dose report. Each patient has a different head, each scanner model its own sharpness, "
        "noise, bias, field of view, padding, table and header; --signature and --effect say how far the "
        "manufacturers are apart. No real data goes in, and nobody's name comes out."
    ),
    example="nameplate phantom --exams 4 --seed 7 --out phantom-exams --matrix 128 --thin-mm 2.5 --truth",
    add_arguments=_add_arguments,
    run=_run,
)

"""Cut an example slice from a volume, and draw it as a small image with outlines on top."""

import base64
import io
import math

import contourpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nameplate.image.volume import Volume
from nameplate.image.window import Window
from nameplate.steps.synthesis import Sphere
from nameplate_evaluation.results import BRAIN_WINDOW, Example


def example_of(
    exam: str,
    level: str,
    title: str,
    volume: Volume,
    *,
    mask: Volume | None = None,
    sphere: Sphere | None = None,
    caption: str = "",
    window: Window = BRAIN_WINDOW,
) -> Example:
    """The slice of a canonical volume through the sphere's centre, or else where the mask is largest.

    Without sphere and mask, it is the middle slice. The slice is turned to the radiological view: front
    up, the patient's right on the left.
    """
    columns, rows, slices = volume.array.shape
    centre = None
    if sphere is not None:
        inverse = np.linalg.inv(volume.affine)
        centre = inverse[:3, :3] @ np.asarray(sphere.centre_mm) + inverse[:3, 3]
        k = round(float(np.clip(centre[2], 0, slices - 1)))
    elif mask is not None:
        k = int(np.argmax(np.count_nonzero(mask.array, axis=(0, 1))))
    else:
        k = slices // 2
    across, down, along = volume.spacing_mm
    ellipse = None
    if centre is not None and sphere is not None:
        left = sphere.radius_mm**2 - ((k - centre[2]) * along) ** 2
        if left > 0:
            radius = math.sqrt(left)
            ellipse = (
                columns - 1 - float(centre[0]),
                rows - 1 - float(centre[1]),
                radius / across,
                radius / down,
            )
    return Example(
        exam=exam,
        level=level,
        title=title,
        image=_turned(volume.array[:, :, k]),
        mask=None if mask is None else _turned(mask.array[:, :, k]).astype(bool),
        ellipse=ellipse,
        caption=caption,
        aspect=down / across,
        window=window,
    )


def _turned(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """(i, j) of a canonical volume -> (rows from the front, columns from the patient's right)."""
    return np.ascontiguousarray(plane[::-1, ::-1].T)


_MASK_COLOUR, _SPHERE_COLOUR = "#56c8e8", "#ffd23f"


def example_svg(example: Example) -> str:
    """The slice in its window as an SVG with an embedded PNG; mask outline and sphere on top."""
    rows, columns = example.image.shape
    window = example.window
    grey = window.quantise(example.image).astype(np.float64) * 255.0 / window.width
    packed = io.BytesIO()
    Image.fromarray(np.rint(grey).astype(np.uint8)).save(packed, format="PNG", optimize=True)
    data = base64.b64encode(packed.getvalue()).decode()
    stretch = example.aspect
    parts = [
        f'<svg class="slice" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {columns} {rows * stretch:g}" role="img">',
        f'<image width="{columns}" height="{rows * stretch:g}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>',
    ]
    stroke = 'fill="none" vector-effect="non-scaling-stroke"'
    if example.mask is not None and example.mask.any():
        path = _outline(example.mask, stretch)
        parts.append(f'<path d="{path}" {stroke} stroke="{_MASK_COLOUR}" stroke-width="1.4"/>')
    if example.ellipse is not None:
        x, y, rx, ry = example.ellipse
        parts.append(
            f'<ellipse cx="{x + 0.5:.2f}" cy="{(y + 0.5) * stretch:.2f}" rx="{rx:.2f}" '
            f'ry="{ry * stretch:.2f}" {stroke} stroke="{_SPHERE_COLOUR}" stroke-width="2" '
            'stroke-dasharray="5 3"/>'
        )
    return "".join([*parts, "</svg>"])


def _outline(mask: NDArray[np.bool_], stretch: float) -> str:
    """The mask's border as an SVG path; a rim of background closes outlines at the image's edge."""
    padded = np.pad(mask.astype(np.float64), 1)
    lines = contourpy.contour_generator(z=padded).lines(0.5)
    paths = []
    for line in lines:
        # A vertex of the padded grid is the centre of a pixel, half a pixel before it.
        points = (np.asarray(line) - 0.5) * (1.0, stretch)
        paths.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
    return "".join(paths)

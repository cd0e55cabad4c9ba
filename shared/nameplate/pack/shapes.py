"""Sizes inside the networks, computed without building them and without torch."""

from collections.abc import Sequence

from nameplate.errors import UserError

Size = tuple[int, int, int]
"""Voxels along k, j and i."""

STAGES = 5
"""Stages of the U-Net: one at full size and four below it, each half as large."""


STEM = 7
"""Width of the 3-D ResNet's first kernel."""


def halved_up(size: Size, stride: int) -> Size:
    """Size after a padded convolution of odd kernel with this stride."""
    k, j, i = (-(-length // stride) for length in size)
    return k, j, i


def halved_down(size: Size) -> Size:
    """Size after max pooling by 2, which drops an odd last plane."""
    k, j, i = (length // 2 for length in size)
    return k, j, i


def resnet_sizes(spatial: Size, strides: Sequence[int]) -> tuple[Size, ...]:
    """Sizes after the stem, after its pooling, and after each scale.

    Raises UserError for an input not larger than the stem's kernel: its pooling needs more, and with
    seven slices or fewer torch's CPU kernel for channels-last reads outside its memory (wrong gradients,
    NaN or a crash; seen with torch 2.13.0).
    """
    stem = halved_up(spatial, 2)
    pooled = halved_down(stem)
    if min(spatial) <= STEM:
        raise UserError(f"an input of {spatial} voxels is too small for the 3-D ResNet's stem")
    sizes = [stem, pooled]
    for stride in strides:
        sizes.append(halved_up(sizes[-1], stride))
    return tuple(sizes)


def check_unet_size(spatial: Size) -> None:
    """Raise UserError for an input that the U-Net's stages cannot halve."""
    if any(length < 2 ** (STAGES - 1) for length in spatial):
        raise UserError(
            f"an input of {spatial} voxels is too small for the U-Net: at least {2 ** (STAGES - 1)} a side"
        )


def check_slice_size(spatial: Size, poolings: int) -> None:
    """Raise UserError for slices that cannot be halved so often."""
    if min(spatial[1:]) < 2**poolings:
        raise UserError(f"{spatial[1:]} pixels are too few for {poolings} poolings")

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nameplate.errors import UserError
from nameplate_training.networks.foreign import ForeignNetwork, built
from nameplate_training.networks.network_input import NetworkInput

CLASS = NetworkInput(task="spheres", slices=4, spatial=(4, 5, 6))
MASK = NetworkInput(task="segmentation", slices=4, spatial=(4, 5, 6))
SLICES = NetworkInput(task="factor", slices=3, spatial=(4, 5, 6))


class Returning(nn.Module):
    """A network with one weight that returns whatever ``make`` makes of its input."""

    def __init__(self, make: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.make = make

    def forward(self, x: Tensor) -> object:
        return self.make(x)


def test_what_a_network_is_given_and_must_return() -> None:
    assert (SLICES.shape, SLICES.dimensions, SLICES.returned(2)) == ((3, 5, 6), 2, (2,))
    assert (CLASS.shape, CLASS.dimensions, CLASS.returned(2)) == ((1, 4, 5, 6), 3, (2,))
    assert MASK.returned(2) == (2, 1, 4, 5, 6)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_a_class_is_one_logit_an_exam(shape: tuple[int, ...]) -> None:
    network = ForeignNetwork(Returning(lambda _: torch.arange(3.0).reshape(shape)), CLASS, "x:y")
    assert network(torch.zeros(3, 1, 4, 5, 6)).tolist() == [0, 1, 2]


def test_one_exam_is_a_batch_too() -> None:
    network = ForeignNetwork(Returning(lambda x: x.sum((2, 3, 4))), CLASS, "x:y")
    assert network(torch.ones(1, 1, 4, 5, 6)).tolist() == [120]


@pytest.mark.parametrize(
    ("given", "make", "expected", "returned"),
    [
        (CLASS, lambda x: x, r"\(2,\) or \(2, 1\)", r"\(2, 1, 4, 5, 6\)"),
        (CLASS, lambda x: torch.zeros(2, 2), r"\(2,\) or \(2, 1\)", r"\(2, 2\)"),
        (CLASS, lambda x: torch.zeros(()), r"\(2,\) or \(2, 1\)", r"\(\)"),
        (CLASS, lambda x: torch.zeros(2, dtype=torch.int64), r"\(2,\)", r"\(2,\) of torch.int64"),
        (MASK, lambda x: x[:, 0], r"\(2, 1, 4, 5, 6\)", r"\(2, 4, 5, 6\)"),
        (MASK, lambda x: (x, x), r"\(2, 1, 4, 5, 6\)", "tuple of 2"),
        (MASK, lambda x: None, r"\(2, 1, 4, 5, 6\)", "NoneType"),
    ],
)
def test_another_shape_is_an_error_that_names_both(
    given: NetworkInput, make: Callable[[Tensor], object], expected: str, returned: str
) -> None:
    network = ForeignNetwork(Returning(make), given, "mine:net")
    with pytest.raises(
        UserError, match=f"^mine:net: expected logits of shape {expected}.* returned {returned}$"
    ):
        network(torch.zeros(2, 1, 4, 5, 6))


def test_its_input_is_in_plain_layout() -> None:
    seen: list[bool] = []

    def make(x: Tensor) -> Tensor:
        seen.append(x.is_contiguous())
        return x.view(len(x), -1).sum(1)

    images = torch.rand(2, 3, 5, 6).contiguous(memory_format=torch.channels_last)
    assert not images.is_contiguous()
    ForeignNetwork(Returning(make), SLICES, "x:y")(images)
    assert seen == [True]


def _raise() -> object:
    raise RuntimeError("first line\nsecond line")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_raise, "mine:net: could not be built: RuntimeError: first line"),
        (lambda: "text", "mine:net: expected a torch.nn.Module, it returned str"),
        (lambda: nn.ReLU(), "mine:net: has no parameters to train"),
        (lambda: nn.LazyLinear(1), "mine:net: has layers whose size only a first exam tells"),
        (lambda: exec("raise SystemExit(3)"), "mine:net: could not be built: SystemExit: 3"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_cannot_be_trained_is_one_line(make: Callable[[], object], said: str) -> None:
    with pytest.raises(UserError) as refused:
        built("mine:net", CLASS, make)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)

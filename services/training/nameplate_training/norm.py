"""Batch-norm statistics, estimated again before an evaluation.

The running averages of training lag behind the weights: with small batches and a constant rate, a network
can rank almost perfectly and still put every exam on one side of the threshold.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def renew_norms(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set each batch norm's mean and variance to their averages over these batches of inputs.

    This changes no weights and does not affect training, which never reads these statistics. A network
    without any is not asked at all.
    """
    norms = [
        module
        for module in network.modules()
        if isinstance(module, _BatchNorm) and module.running_mean is not None
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    training = network.training
    network.train()
    for images in batches:
        network(images)
    network.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum

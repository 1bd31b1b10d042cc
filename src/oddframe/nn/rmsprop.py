"""RMSProp as TensorFlow 1 has it, in which several of the published detectors were trained.

Differs from PyTorch's in two points: the mean of the squares begins at 1, so that the first steps are those of plain
gradient descent, where PyTorch's first step is three times the learning rate whatever the gradient; and what keeps a
divisor from 0 stands inside the root.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


class RMSProp(torch.optim.Optimizer):
    """step = lr gradient / sqrt(mean square + eps).

    Args:
        parameters: to be stepped. lr: learning rate. decay: of the running mean of the squared gradients.
        eps: added to the mean square.

    >>> weight = nn.Parameter(torch.tensor([2.0]))
    >>> weight.grad = torch.tensor([1.0])
    >>> RMSProp([weight], lr=0.1).step()
    >>> weight.data
    tensor([1.9000])
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.9, eps: float = 1e-10) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay, "eps": eps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Step every parameter that has a gradient. There is no closure: the loop has taken the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if (gradient := parameter.grad) is None:
                    continue
                state = self.state[parameter]
                if "square" not in state:
                    state["square"] = torch.ones_like(parameter)
                square = state["square"]
                square.mul_(group["decay"]).addcmul_(gradient, gradient, value=1 - group["decay"])
                parameter.addcdiv_(gradient, (square + group["eps"]).sqrt_(), value=-group["lr"])

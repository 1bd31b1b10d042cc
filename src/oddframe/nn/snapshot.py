"""An earlier state of a network, kept beside it without being learned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Snapshot(nn.Module):
    """The state of a network at one moment, in buffers: saved with it, and no parameter of anything.

    Args:
        network: whose first state it is.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name, value in network.state_dict().items():
            self.register_buffer(_flat(name), value.detach().clone())

    @torch.no_grad()
    def take(self, network: nn.Module) -> None:
        """Become what the network is now."""
        for name, value in network.state_dict().items():
            self.get_buffer(_flat(name)).copy_(value)

    def run(self, network: nn.Module, *given: Tensor) -> Tensor:
        """What the network, in the mode that it is in, would have given in the state that is kept here."""
        state = {name: self.get_buffer(_flat(name)) for name in network.state_dict()}
        found: Tensor = torch.func.functional_call(network, state, given)
        return found


def _flat(name: str) -> str:
    return name.replace(".", "/")  # a buffer's name has no dots


@contextmanager
def judging(network: nn.Module) -> Iterator[None]:
    """Within the `with`, a network is as it judges: batch norms use what they have seen so far. No gradient."""
    learning = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(learning)

"""Networks whose parts are compiled for a while.

What lies between the parts, memories and losses, stays as it is: it takes hardly any time, and what is compiled part by
part can be compiled whatever a detector does between them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from oddframe.errors import SettingsError


@contextlib.contextmanager
def compiled(network: nn.Module) -> Iterator[None]:
    """Within the `with`, the outermost parts of a network that are called as modules are compiled when first called.

    Names of weights do not change, and behind it everything is as it was.

    Raises:
        SettingsError: what compiles is not there, or fails.
    """
    parts = [part for child in network.children() for part in _called(child)]
    for part in parts:
        setattr(part, "forward", torch.compile(part.forward))  # noqa: B010 - mypy refuses to assign to a method
    try:
        yield
    except RuntimeError as error:
        from torch._dynamo.exc import BackendCompilerFailed  # a second to import, and only here

        if not isinstance(error, BackendCompilerFailed):
            raise
        raise SettingsError(
            "the network cannot be compiled here",
            seen=str(error).splitlines()[0],
            wanted="a C++ compiler (g++ or clang++) for a processor, Triton for CUDA",
            hint="--set train.compile=false with a new --out",
        ) from None
    finally:
        for part in parts:
            del part.forward


def _called(module: nn.Module) -> Iterator[nn.Module]:
    """The module, or, where it only holds others, those."""
    if type(module).forward is not nn.Module.forward:
        yield module
    else:
        for child in module.children():
            yield from _called(child)

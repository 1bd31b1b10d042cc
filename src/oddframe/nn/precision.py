"""Where a network runs, and which precision is fast there. Found out, never assumed.

A processor without bf16 units can run bf16 a hundred times slower than fp32 (seen: 0.28 against 122 GFLOP/s),
another one twice as fast (319 against 131).
"""

from __future__ import annotations

import time
from functools import cache
from typing import Literal, TypeVar

import torch
from torch import nn

from oddframe.errors import SettingsError
from oddframe.processes.cores import BF16_FLAGS, processor, threads

Precision = Literal["fp32", "bf16"]

Network = TypeVar("Network", bound=nn.Module)


def resolve_device(device: str) -> torch.device:
    """Turn "auto" into CUDA where there is one, else the CPU.

    Raises:
        SettingsError: the device does not exist here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        usable = ["auto", "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        raise SettingsError(
            f"device '{device}' cannot be used here", seen=str(error).splitlines()[0], wanted=" | ".join(usable)
        ) from None
    return found


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to a device, the weights of its convolutions over pictures channels last, which is faster."""
    network.to(device)
    if (
        torch.get_num_threads() > threads()
    ):  # torch does not know of control groups: containers have less than the machine
        torch.set_num_threads(threads())
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@cache
def matrix_product_gflops(device: str, dtype: torch.dtype) -> float:
    """Speed of a small matrix product in GFLOP/s: some milliseconds on any machine."""
    return _product_gflops(torch.device(device), dtype, 256)


def matrix_product_limit(device: torch.device, precision: Precision) -> float | None:
    """GFLOP/s of a matrix product that is large enough to keep the device busy, measured now.

    None for bf16 where a small product is slower in it than in fp32: there are no units for it, and it would take
    minutes to say so more precisely.
    """
    small = [matrix_product_gflops(str(device), dtype) for dtype in (torch.float32, torch.bfloat16)]
    if precision == "bf16" and small[1] < small[0]:
        return None
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    return _product_gflops(device, dtype, 1024 if device.type == "cpu" else 4096)


def _product_gflops(device: torch.device, dtype: torch.dtype, side: int) -> float:
    """The best of up to eight products, which end after a twentieth of a second.

    One before them is not counted: it loads the library and wakes its threads, which takes a hundred times as long.
    """
    one = torch.ones(side, side, device=device, dtype=dtype)
    (one @ one)[0, 0].item()
    best = float("inf")
    deadline = time.perf_counter() + 0.05
    for _ in range(8):
        begin = time.perf_counter()
        # Reading a value waits for a device that works asynchronously.
        (one @ one)[0, 0].item()
        best = min(best, time.perf_counter() - begin)
        if time.perf_counter() > deadline:
            break
    return 2 * side**3 / best / 1e9


def resolve_precision(precision: Literal["auto", "fp32", "bf16"], device: torch.device) -> Precision:
    """Turn "auto" into bf16 where it is clearly faster than fp32.

    A processor that says what it has is believed: on a busy machine a measurement comes out either way, and the same
    training would end in other weights, or take twice as long. Products are timed only where nothing is said.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    _, flags = processor()
    if device.type == "cpu" and flags:
        return "bf16" if flags & BF16_FLAGS else "fp32"
    where = str(device)
    faster = matrix_product_gflops(where, torch.bfloat16) > 1.3 * matrix_product_gflops(where, torch.float32)
    return "bf16" if faster else "fp32"

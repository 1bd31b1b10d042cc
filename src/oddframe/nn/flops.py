"""How much arithmetic a piece of work is."""

from __future__ import annotations

from collections.abc import Callable

from torch.utils.flop_counter import FlopCounterMode


def count_flops(work: Callable[[], object]) -> int:
    """Count the floating-point operations of all convolutions and matrix products that a call makes torch compute.

    A multiplication and an addition count as two. What a backward pass computes counts, too; elementwise operations,
    pooling and normalisation do not.
    """
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())

"""Several processes that train one network: ranks, as torch's own distributed training calls them.

Each rank has the whole network and a part of each batch, as long as that of each other. So the mean over ranks of means
over parts is the mean over the batch. Where there is one process, nothing is done.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from oddframe.errors import SettingsError, TrainingError

_WAIT = timedelta(minutes=30)
"""Rank 0 decodes videos while the others wait."""


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0; the first one writes."""
    return dist.get_rank() if count() > 1 else 0


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Join the ranks that `torchrun` has started; nothing is joined without it.

    Args:
        device: what a single process would train on.

    Yields:
        what this rank trains on: a GPU of its own where there are any, else the processor.

    Raises:
        SettingsError: the machine has fewer GPUs than ranks. TrainingError: another rank is gone.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
        yield device
        return
    if device.type == "cuda":
        number = int(os.environ.get("LOCAL_RANK", "0"))
        if number >= torch.cuda.device_count():
            raise SettingsError(
                "there are more ranks than GPUs on this machine",
                seen=f"{torch.cuda.device_count()} GPUs",
                hint="a smaller --nproc-per-node, or --device cpu",
            )
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_WAIT)
    try:
        yield device
    except RuntimeError as error:
        if "onnection" not in str(error) and "timed out" not in str(error).lower():
            raise
        raise TrainingError(
            "another rank of this training is gone",
            seen=str(error).splitlines()[0],
            hint="the same command goes on from the last checkpoint, with as many ranks as you like",
        ) from None
    finally:
        leave()


def told_by_first(value: bool) -> bool:
    """What rank 0 says, on all ranks; they wait for it."""
    return any_rank(value and rank() == 0)[0]


def leave() -> None:
    """From here on this process is alone."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def gathered(values: Tensor) -> Tensor:
    """Those of all ranks, one after another along dimension 0: the same on each, to the bit. No gradient.

    Args:
        values: (N, ...); each rank has an N of its own, 0 included, and all else alike.
    """
    if count() == 1:
        return values
    mine = torch.tensor([len(values)], device=values.device)
    lengths = [torch.empty_like(mine) for _ in range(count())]
    dist.all_gather(lengths, mine)
    most = int(torch.cat(lengths).max())
    padded = values.new_zeros(most, *values.shape[1:])
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in range(count())]
    dist.all_gather(parts, padded)
    return torch.cat([part[: int(length)] for part, length in zip(parts, lengths, strict=True)])


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over ranks, in place; all are moved at once."""
    if count() == 1 or not tensors:
        return
    flat = torch.cat([one.flatten() for one in tensors])
    dist.all_reduce(flat)
    flat /= count()
    for one, mean in zip(tensors, torch.split(flat, [one.numel() for one in tensors]), strict=True):
        one.copy_(mean.view_as(one))


def total(value: Tensor) -> Tensor:
    """The sum of a tensor over ranks; no gradient."""
    if count() == 1:
        return value
    added = value.detach().clone()
    dist.all_reduce(added)
    return added


def any_rank(*said: bool) -> list[bool]:
    """For each question, whether any rank says yes."""
    if count() == 1:
        return list(said)
    answers = torch.tensor([float(one) for one in said])
    if dist.get_backend() == "nccl":
        answers = answers.cuda()
    dist.all_reduce(answers, dist.ReduceOp.MAX)
    return [value > 0 for value in answers.tolist()]


# Batch statistics -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def synchronised(network: nn.Module) -> Iterator[None]:
    """Have batch norm take its statistics over the batches of all ranks, on any device; torch's own needs CUDA."""
    norms = [one for one in network.modules() if isinstance(one, _BatchNorm)] if count() > 1 else []
    for one in norms:
        one.forward = partial(_normalised, one)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for one in norms:
            del one.forward


def _normalised(norm: _BatchNorm, values: Tensor) -> Tensor:
    """(B, C, ...) normalised by mean and variance of all ranks, as `F.batch_norm` does by those of one."""
    if not norm.training:
        return F.batch_norm(values, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    others = [0, *range(2, values.dim())]
    shape = [1, -1] + [1] * (values.dim() - 2)
    exact = values.float()
    number = exact.numel() / exact.shape[1] * count()
    mean = _sum_of_ranks(exact.sum(others)) / number
    centred = exact - mean.view(shape)
    variance = _sum_of_ranks(centred.square().sum(others)) / number
    if norm.track_running_stats and norm.running_mean is not None and norm.running_var is not None:
        with torch.no_grad():
            assert norm.num_batches_tracked is not None
            norm.num_batches_tracked += 1
            share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
            norm.running_var.lerp_((variance * number / max(number - 1, 1)).to(norm.running_var.dtype), share)
    found = centred * (variance + norm.eps).rsqrt().view(shape)
    if norm.weight is not None:
        found = found * norm.weight.view(shape) + norm.bias.view(shape)
    return found.to(values.dtype)


class _Sum(torch.autograd.Function):
    """The sum over ranks; each rank's part gets the gradients of all."""

    @staticmethod
    def forward(_: object, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total


def _sum_of_ranks(values: Tensor) -> Tensor:
    summed: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return summed

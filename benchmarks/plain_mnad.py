"""MNAD as its published code trains and scores it, written anew from a description of what that code does.

No line of it is taken over. What it does and `oddframe.models.mnad` does not: every clip reads its five image files
anew (`cv2.imread`, bilinear resize, `/ 127.5 - 1`); tensors are contiguous fp32; losses are modules that gather items
for every query; the memory is updated item by item in Python; the graph is kept through `backward`; Adam has its
defaults. Scoring takes one clip at a time in evaluation mode, without `no_grad`, with PSNR, distance and the criterion
by which the memory follows the video taken frame by frame. The convolutions are those of `oddframe.nn.unet`, so that
both sides compute the same network, but for ReLUs that are not in place.

Differs from the published code in that pictures are read in the same process.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.detectors.peers import MnadSettings
from oddframe.nn.unet import Decoder, Encoder, Head

FRAMES = 5
BATCH = 4
LR = 2e-4
FOLLOW_BELOW = 0.01
"""Weighted squared error of a frame below which the memory follows it, at test."""


class PlainMnad(nn.Module):
    """Network and losses; the items (M, C) are handed in and out.

    Args:
        settings: size, width, channels, items.
    """

    def __init__(self, settings: MnadSettings) -> None:
        super().__init__()
        width, channels = settings.width, 8 * settings.width
        self.encoder = Encoder((FRAMES - 1) * int(settings.channels), width)
        self.head = Head(4 * width, channels)
        self.decoder = Decoder(2 * channels, width, int(settings.channels))
        for module in self.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False

    def forward(self, frames: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frames (B, 4 * C, H, W) → the next frame, unit queries (B, h, w, C), and their scores (K, M) of the items."""
        features, skips = self.encoder(frames[:, None])
        queries = F.normalize(self.head(features), dim=1).permute(0, 2, 3, 1).contiguous()
        scores = queries.reshape(-1, queries.shape[-1]) @ items.t()
        read = (F.softmax(scores.detach(), dim=1) @ items).reshape(queries.shape)
        both = torch.cat([queries, read], dim=3).permute(0, 3, 1, 2).contiguous()
        return self.decoder(both, skips), queries, scores


def updated_items(items: Tensor, queries: Tensor) -> Tensor:
    """Items (M, C) after queries (B, h, w, C), item by item: each takes those queries that are nearest to it.

    A query weighs as much as its softmax over all queries, divided by the largest one.
    """
    rows = queries.detach().reshape(-1, queries.shape[-1])
    scores = rows @ items.t()
    over_queries, nearest = F.softmax(scores, dim=0), F.softmax(scores, dim=1).topk(1, dim=1)[1]
    terms = torch.zeros_like(items)
    for item in range(len(items)):
        chosen = torch.nonzero(nearest.squeeze(1) == item).squeeze(1)
        if chosen.numel():
            weights = over_queries[chosen, item] / over_queries[:, item].max()
            terms[item] = torch.sum(weights.unsqueeze(1) * rows[chosen], dim=0)
    return F.normalize(terms + items, dim=1).detach()


def memory_losses(queries: Tensor, scores: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Compactness and separateness of the queries."""
    rows = queries.reshape(-1, queries.shape[-1])
    two = F.softmax(scores, dim=1).topk(2, dim=1)[1]
    nearest, second = items[two[:, 0]].detach(), items[two[:, 1]].detach()
    return F.mse_loss(rows, nearest), nn.TripletMarginLoss(margin=1.0)(rows, nearest, second)


def first_items(settings: MnadSettings) -> Tensor:
    """(M, C) unit vectors, drawn from [0, 1)."""
    return F.normalize(torch.rand(settings.items, 8 * settings.width), dim=1)


class PlainPictures:
    """Clips of frames on disk, every picture read anew for every clip.

    Args:
        files: image files in order.
    """

    def __init__(self, files: Sequence[Path], settings: MnadSettings) -> None:
        self.files, self.settings = files, settings

    def __len__(self) -> int:
        return len(self.files) - FRAMES + 1

    def clips(self, starts: Sequence[int]) -> Tensor:
        """(B, 5 * C, H, W) in [-1, 1]."""
        return torch.from_numpy(np.stack([self._clip(start) for start in starts]))

    def _clip(self, start: int) -> np.ndarray:
        return np.concatenate([self._picture(path) for path in self.files[start : start + FRAMES]], axis=0)

    def _picture(self, path: Path) -> np.ndarray:
        height, width = self.settings.size
        grey = int(self.settings.channels) == 1
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
        resized = cv2.resize(picture, (width, height)).reshape(height, width, -1)
        return (resized.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


class PlainTraining:
    """The training loop."""

    def __init__(self, settings: MnadSettings, pictures: PlainPictures) -> None:
        torch.manual_seed(0)
        self.pictures, self.channels = pictures, int(settings.channels)
        self.network, self.items = PlainMnad(settings).train(), first_items(settings)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LR)

    def steps(self, count: int, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        """Take steps; yield (seconds, seconds of reading) of each."""
        for _ in range(count):
            began = time.perf_counter()
            clips = self.pictures.clips(rng.integers(len(self.pictures), size=BATCH))
            read = time.perf_counter()
            self.step(clips)
            yield time.perf_counter() - began, read - began

    def step(self, clips: Tensor) -> float:
        """One step; the loss."""
        past, judged = clips[:, : -self.channels], clips[:, -self.channels :]
        predicted, queries, scores = self.network(past, self.items)
        compactness, separateness = memory_losses(queries, scores, self.items)
        items = updated_items(self.items, queries)
        self.optimizer.zero_grad()
        loss = torch.mean((predicted - judged) ** 2) + 0.1 * compactness + 0.1 * separateness
        loss.backward(retain_graph=True)
        self.optimizer.step()
        self.items = items
        return loss.item()


class PlainScoring:
    """The test loop, up to the raw PSNR and distance of every frame."""

    def __init__(self, settings: MnadSettings, pictures: PlainPictures) -> None:
        torch.manual_seed(0)
        self.pictures, self.channels = pictures, int(settings.channels)
        self.network, self.items = PlainMnad(settings).eval(), first_items(settings)

    def score(self, count: int) -> list[tuple[float, float]]:
        """(PSNR, distance) of the first frames that have four before them."""
        return [self.judge(self.pictures.clips([start])) for start in range(count)]

    def judge(self, clip: Tensor) -> tuple[float, float]:
        """(PSNR, distance) of the last frame of a clip (1, 5 * C, H, W)."""
        past, judged = clip[:, : -self.channels], clip[:, -self.channels :]
        predicted, queries, scores = self.network(past, self.items)
        mse = torch.mean(((predicted[0] + 1) / 2 - (judged[0] + 1) / 2) ** 2).item()
        rows = queries.reshape(-1, queries.shape[-1])
        nearest = F.softmax(scores, dim=1).topk(1, dim=1)[1].squeeze(1)
        distance = F.mse_loss(rows, self.items[nearest]).item()
        error = ((predicted[0] + 1) / 2 - (judged[0] + 1) / 2) ** 2
        weight = 1 - torch.exp(-error)
        if (torch.sum(weight * error) / torch.sum(weight)).item() < FOLLOW_BELOW:
            self.items = updated_items(self.items, queries)
        return 10 * math.log10(1 / mse), distance

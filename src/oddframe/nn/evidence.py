"""Evidence as numbers: what each frame's error and distance come to (Eqs. 10 and 11, and their local peers).

Torch only, so that an exported graph holds it and every runtime gives the same numbers. An anomaly covers a few
per cent of a frame and an average over the frame buries it: hence the two local components.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

MAX_PSNR = 100.0
"""Cap in dB: a mean squared error below 1e-10 counts as 1e-10. Equal pictures would give infinity."""


LOCAL_SHARE = 0.03
"""An anomaly covers a few per cent of a frame. One place alone is noise: on frame differences, the mean over so many
windows is several points of AUC better than the largest window."""


class Evidence(NamedTuple):
    """What a detector has to say about the judged frame of each clip.

    Attributes:
        error: (B, H, W) squared error per pixel, mean over channels, both pictures mapped to [0, 1].
        distance: (B, h, w) how far each place is from what is normal, from 0 up and finite: the squared distance of
            each query to its nearest normality item, 0..4, or what the settings' `distance_is` says; None for a
            detector that has nothing of the kind.
        predicted: (B, C, H, W) in [-1, 1], what the judged frame was compared with.
    """

    error: Tensor
    distance: Tensor | None
    predicted: Tensor


def components(evidence: Evidence, window: int = 16, stride: int = 8, share: float = LOCAL_SHARE) -> dict[str, Tensor]:
    """Turn evidence into raw components, in fixed units.

    Args:
        evidence: of B frames.
        window: side of the squares of `local_error`, in pixels; it shrinks to a smaller picture.
        stride: step between the squares.
        share: of the squares or places, the oddest ones, whose mean is the local component; at least one.

    Returns:
        psnr: (B,) dB, Eq. 10 on pictures in [0, 1]; LOWER is odder, the only one. At most 100.
        local_error: (B,) mean squared error of the oddest squares; higher is odder.
        local_error_map: (B, h', w') mean squared error of each square.
        distance: (B,) mean distance of all places, Eq. 11; higher is odder.
        local_distance: (B,) mean distance of the oddest places.
        distance_map: (B, h, w) distance of each place.
        The last three only where the evidence has distances.
    """
    error = evidence.error
    mse = error.mean(dim=(1, 2)).clamp(min=10 ** (-MAX_PSNR / 10))
    side = (min(window, error.shape[1]), min(window, error.shape[2]))
    # Where the stride does not come out even, a last, slightly narrower square covers the edge. There is no padding to
    # count; but where a graph says that it counts, ONNX Runtime before 1.29 divides that square by a whole one's area.
    uneven = any((error.shape[1 + axis] - side[axis]) % stride for axis in (0, 1))
    squares = F.avg_pool2d(error.unsqueeze(1), side, stride, ceil_mode=uneven, count_include_pad=False).squeeze(1)
    found = {
        "psnr": -10 * mse.log10(),
        "local_error": _oddest(squares, share),
        "local_error_map": squares,
    }
    if evidence.distance is not None:
        found["distance"] = evidence.distance.mean(dim=(1, 2))
        found["local_distance"] = _oddest(evidence.distance, share)
        found["distance_map"] = evidence.distance
    return found


def _oddest(places: Tensor, share: float) -> Tensor:
    """Mean of the largest values of each map: (B, h, w) → (B,)."""
    flat = places.flatten(1)
    return flat.topk(max(1, round(share * flat.shape[1])), dim=1).values.mean(dim=1)

"""The rows of the tables: which detector, what it is given, which settings make it that row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oddframe.errors import SettingsError, nearest

Given = Literal["nothing", "normal", "known"]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        key: in file names and in `published.json`. label: what a reader sees.
        detector: None for a row that stands in the table as the paper prints it only.
        given: what it learns from: nothing, normal video, or known anomalies as well. What is given no known anomaly is
            trained once for all folds.
        overrides: settings beyond the preset's. note: what a reader must know of it.
        apart: it is judged on the frames that it scores. Its window is so wide that the frames which all score would be
            too few.
    """

    key: str
    label: str
    detector: str | None
    given: Given
    overrides: tuple[str, ...] = ()
    note: str = ""
    apart: bool = False


_UNTOLD = "as printed; not trained here"
_IMAGENET = "features learned on ImageNet, not the published ones learned on UCF101"

_METHODS = (
    Row("framediff", "frame differences", "framediff", "nothing", note="no network: a floor"),
    Row("flow", "optical flow", "flow", "nothing", note="no network: the floor"),
    Row(
        "unmasking",
        "unmasking",
        "unmasking",
        "nothing",
        note="its motion features alone, without the network trained on ImageNet",
        apart=True,
    ),
    Row(
        "amc-flow",
        "AMC, its flow alone",
        "amc",
        "nothing",
        ("model.network=false",),
        note="the flow that AMC predicts, with nothing predicted: its floor",
    ),
    Row("amc", "AMC", "amc", "normal", note="Lucas-Kanade, not FlowNet2; motion since the frame before"),
    Row("convae", "Conv-AE", "convae", "normal"),
    Row(
        "tsc-features",
        "TSC and stacked RNN, their features alone",
        "features",
        "normal",
        note="the nearest of 4,096 patches of normal video, with nothing learned: their floor",
    ),
    Row("tsc", "TSC", "tsc", "normal", note=_IMAGENET),
    Row("stacked-rnn", "stacked RNN", "srnn", "normal", note=f"{_IMAGENET}; gamma and lambdas as set, not learned"),
    Row("memae", "MemAE", "memae", "normal"),
    Row(
        "ognet",
        "OGNet",
        "ognet",
        "normal",
        note="of video nothing was published but patches of 45x45 that move; phases begin after so many steps",
    ),
    Row("contrast", "Contrast", None, "normal", note=_UNTOLD),
    Row(
        "cac-abstract",
        "CAC (own reading of the abstract)",
        "cac",
        "normal",
        note="a small 3-D encoder from scratch; it says nothing about the printed Contrast",
    ),
    Row(
        "scene-aware",
        "Scene-Aware",
        "scene-aware",
        "normal",
        note="objects found by motion and described by gradients and flow, no detector and no VGG-16; own score script",
    ),
    Row("framepred", "Frame-Pred", "framepred", "normal", note="without its flow loss"),
    Row("mnad", "MNAD", "mnad", "normal", note="no update at test time"),
    Row("mlep", "MLEP", "mlep", "known"),
    Row("dream-unet", "DREAM-UNet", "dream-unet", "known"),
    Row("dream-convlstm", "DREAM-ConvLSTM", "dream-convlstm", "known"),
)

_DECODED = "model.decoder=true"
_ABLATION = (
    Row("framediff", "frame differences", "framediff", "nothing", note="no network: a floor"),
    Row("flow", "optical flow", "flow", "nothing", note="no network: the floor"),
    Row(
        "mem",
        "UNet+Mem",
        "dream-unet",
        "normal",
        ("model.memory=single", "model.discriminator=false", "model.query_margin=0", _DECODED),
    ),
    Row(
        "disc",
        "UNet+Disc",
        "dream-unet",
        "known",
        ("model.memory=none", "model.discriminator=true", _DECODED),
    ),
    Row(
        "mem-disc",
        "UNet+Mem+Disc",
        "dream-unet",
        "known",
        ("model.memory=single", "model.discriminator=true", _DECODED),
    ),
    Row(
        "dual-disc",
        "UNet+DualMem+Disc",
        "dream-unet",
        "known",
        ("model.memory=dual", "model.discriminator=true", _DECODED),
    ),
    Row("preset", "the preset as it is", "dream-unet", "known", note="not a row of the paper"),
)

_FIG5 = ("framediff", "flow", "mnad", "mlep", "dream-unet", "dream-convlstm")

ROWS: dict[str, tuple[Row, ...]] = {
    "table2": _METHODS,
    "table3": _ABLATION,
    "table4": tuple(row for row in _ABLATION if row.key == "dual-disc"),
    "fig5": tuple(row for row in _METHODS if row.key in _FIG5),
    "fig6": tuple(row for row in _ABLATION if row.key in ("disc", "mem-disc", "dual-disc")),
    "fig7": tuple(row for row in _ABLATION if row.key == "dual-disc"),
}
"""The rows of what is made of trained cells."""


def rows_of(what: str, only: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """The rows of a table or figure, all or those asked for.

    Raises:
        SettingsError: it has no such row.
    """
    rows = ROWS[what]
    keys = [row.key for row in rows]
    for key in only:
        if key not in keys:
            raise SettingsError(
                f"{what} has no row '{key}'", seen=key, wanted=" | ".join(keys), hint=nearest(key, keys)
            )
    return tuple(row for row in rows if not only or row.key in only)

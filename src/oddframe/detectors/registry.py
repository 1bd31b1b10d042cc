"""Which detectors there are: name, settings, and where the class lives. Needs no torch.

A detector in another package is a first-class one: it registers under the entry-point group
`oddframe.detectors` an object with the same three things (`DetectorEntry`).
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from oddframe.detectors.dream import DreamConvLSTMSettings, DreamSettings
from oddframe.detectors.floors import FeaturesSettings, FlowSettings, FrameDiffSettings
from oddframe.detectors.moving import AmcSettings, CacSettings, OgNetSettings, SceneAwareSettings
from oddframe.detectors.peers import ConvAESettings, FramePredSettings, MemAESettings, MlepSettings, MnadSettings
from oddframe.detectors.settings import DetectorSettings
from oddframe.detectors.sparse import SrnnSettings, TscSettings
from oddframe.detectors.unmasking import UnmaskingSettings
from oddframe.errors import DetectorError, SettingsError, nearest

ENTRY_POINT_GROUP = "oddframe.detectors"


@dataclass(frozen=True)
class DetectorEntry:
    """A detector as it stands in the list: its settings' type and where its class is ("module:Class")."""

    name: str
    settings: type[DetectorSettings]
    class_path: str
    summary: str = ""

    def load(self) -> Any:
        """Import the class. This is the moment at which torch is needed.

        Raises:
            DetectorError: it is not there. ImportError: torch is not.
        """
        module, _, attribute = self.class_path.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "torch":
                raise
            raise DetectorError(
                f"the class of detector '{self.name}' is not there",
                path=self.class_path,
                seen=f"{type(error).__name__}: {error}",
                wanted="module:Class, as in my_package.detector:Blurred",
            ) from error


_OWN = (
    DetectorEntry(
        "dream-unet", DreamSettings, "oddframe.models.dream:Dream", "dual memory, next frame by a U-Net (the paper's)"
    ),
    DetectorEntry(
        "dream-convlstm",
        DreamConvLSTMSettings,
        "oddframe.models.dream:Dream",
        "dual memory, next frame by a ConvLSTM (the paper's)",
    ),
    DetectorEntry(
        "mlep",
        MlepSettings,
        "oddframe.models.mlep:Mlep",
        "next frame by a ConvLSTM, with a margin between normal and abnormal",
    ),
    DetectorEntry("framediff", FrameDiffSettings, "oddframe.models.framediff:FrameDiff", "frame differences; a floor"),
    DetectorEntry("flow", FlowSettings, "oddframe.models.flow:Flow", "optical flow, nothing learned; the floor"),
    DetectorEntry(
        "features",
        FeaturesSettings,
        "oddframe.models.features:Features",
        "features against those of normal video, nothing learned; the floor of tsc and srnn",
    ),
    DetectorEntry("mnad", MnadSettings, "oddframe.models.mnad:Mnad", "one memory, next frame by a U-Net (MNAD)"),
    DetectorEntry(
        "framepred",
        FramePredSettings,
        "oddframe.models.framepred:FramePred",
        "next frame by a U-Net against a discriminator (Frame-Pred; flow loss off, or of another flow than FlowNet2's)",
    ),
    DetectorEntry(
        "memae", MemAESettings, "oddframe.models.memae:MemAE", "16 frames rebuilt from a learnt memory (MemAE)"
    ),
    DetectorEntry("convae", ConvAESettings, "oddframe.models.convae:ConvAE", "10 frames rebuilt (Conv-AE)"),
    DetectorEntry(
        "unmasking",
        UnmaskingSettings,
        "oddframe.models.unmasking:Unmasking",
        "how long two halves of a window can be told apart (Unmasking, its motion features alone); nothing learned",
    ),
    DetectorEntry(
        "tsc", TscSettings, "oddframe.models.sparse:Tsc", "features of patches rebuilt from sparse states (TSC)"
    ),
    DetectorEntry(
        "srnn",
        SrnnSettings,
        "oddframe.models.sparse:Srnn",
        "features of patches rebuilt from sparse states by other weights (stacked RNN)",
    ),
    DetectorEntry(
        "ognet", OgNetSettings, "oddframe.models.ognet:OgNet", "patches that move, rebuilt well or badly (OGNet)"
    ),
    DetectorEntry(
        "amc",
        AmcSettings,
        "oddframe.models.amc:Amc",
        "a frame rebuilt, and how it should move (AMC, own Lucas-Kanade flow in place of FlowNet2)",
    ),
    DetectorEntry(
        "scene-aware",
        SceneAwareSettings,
        "oddframe.models.scene_aware:SceneAware",
        "objects and relations by groups of scenes (Scene-Aware; objects found by motion, own score script)",
    ),
    DetectorEntry(
        "cac",
        CacSettings,
        "oddframe.models.cac:Cac",
        "views of a clip told from others, by the nearest of several centres (CAC, own reading of the abstract)",
    ),
)


@cache
def detectors() -> dict[str, DetectorEntry]:
    """All detectors by name: this package's, then those of installed packages. What is wrong with one is warned of."""
    found = {entry.name: entry for entry in _OWN}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            entry = _offered(point)
        except DetectorError as error:  # somebody else's package must not take the house down with it
            warnings.warn(f"{error.problem}: {error.seen}", stacklevel=2)
        else:
            found.setdefault(point.name, entry)
    return found


def detector_entry(name: str) -> DetectorEntry:
    """Look up one detector.

    Raises:
        SettingsError: there is none of that name. DetectorError: there is, and it breaks the contract.
    """
    known = detectors()
    if isinstance(name, str) and name in known:
        return known[name]
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            _offered(point)
    raise SettingsError(
        f"there is no detector '{name}'", seen=name, wanted=" | ".join(known), hint=nearest(str(name), known)
    )


def _offered(point: EntryPoint) -> DetectorEntry:
    """What an installed package offers under a name.

    Raises:
        DetectorError: it does not load, or is not a `DetectorEntry` of its own name with settings of its own.
    """
    try:
        entry = point.load()
    except Exception as error:
        raise DetectorError(
            f"detector '{point.name}' of {point.value} does not load", seen=f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(entry, DetectorEntry):
        raise DetectorError(
            f"detector '{point.name}': {point.value} is no DetectorEntry",
            seen=type(entry).__name__,
            wanted="DetectorEntry(name, settings, class_path)",
        )
    if entry.name != point.name or any(entry.name == own.name for own in _OWN):
        raise DetectorError(
            f"detector '{point.name}' of {point.value} needs a name of its own, in the entry as at the entry point",
            seen=entry.name,
            wanted=f"'{point.name}', and none of {', '.join(own.name for own in _OWN)}",
        )
    if not (isinstance(entry.settings, type) and issubclass(entry.settings, DetectorSettings)):
        raise DetectorError(
            f"the settings of detector '{point.name}' of {point.value} are no DetectorSettings",
            seen=getattr(entry.settings, "__name__", entry.settings),
            wanted="a class derived from oddframe.detectors.DetectorSettings",
        )
    return entry

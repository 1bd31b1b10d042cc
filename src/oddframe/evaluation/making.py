"""How figures were made, as records: by whom, with which seed, on which data, and what each fusion is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from oddframe.evaluation.figures import Named, Share
from oddframe.origin import HostInfo, Versions
from oddframe.records import Record
from oddframe.settings import FusedBy

if TYPE_CHECKING:
    from oddframe.artefact import Trained
    from oddframe.scoring.fusion import FusedNormal
    from oddframe.settings import Settings

WHOLE_VIDEO = "min-max over each whole video"
LARGEST_PLACE = ", distance being that of the oddest place"
RARITY = "rarity among held-out normal frames"

_MAIN_SEED = 0


class FusionInfo(Record):
    """What a fusion was made of.

    Attributes:
        weights: component → weight; a component that is not here did not count, whatever the settings ask for.
        normalised: what each component was turned into before it was added.
        smoothing: frames that the sum is a mean over, up to now; None where there is no such mean.
        gamma: of Eq. 12; None where the fusion has none.
        by: how components are joined: added, or the highest of them alone.
    """

    weights: dict[str, Annotated[float, Field(ge=0)]]
    normalised: str
    smoothing: int | None = None
    gamma: Share | None = None
    by: FusedBy = "sum"


class Judging(Record):
    """The judging, which may be of another day, machine and version than the training.

    Attributes:
        backend: what computed the scores. device: that was asked for.
        seed: of the draws of videos behind each interval. command: what was typed.
        versions, host: of the judging. apart: in what it departs from a run's main result, as words that a file's name
            can have ("openvino", "seed7", "data1a2b3c4d"); none for a main result.
    """

    backend: str
    device: str
    seed: int
    command: str = ""
    versions: Versions = Field(default_factory=dict)
    host: HostInfo | None = None
    apart: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")], ...] = ()


def fusions_of(fused: FusedNormal, settings: Settings, names: Sequence[str]) -> Named[FusionInfo]:
    """What the fusions are made of.

    Args:
        fused: the calibration's. settings: the run's. names: the components that the detector gives.
    """
    found = {
        name: FusionInfo(weights=dict(one.weights), normalised=RARITY, smoothing=fused.smoothing, by=one.by)
        for name, one in (("online", fused.online), ("learned", fused.learned))
    }
    gamma = settings.score.gamma if "distance" in names else None
    weights = {"psnr": 1.0} if gamma is None else {"psnr": gamma, "distance": 1 - gamma}
    largest = gamma is not None and settings.model.paper_distance == "largest"
    paper = FusionInfo(
        weights={name: weight for name, weight in weights.items() if weight},
        normalised=WHOLE_VIDEO + (LARGEST_PLACE if largest else ""),
        gamma=gamma,
    )
    return Named[FusionInfo](found | {"paper": paper})


def apart_of(trained: Trained, backend: str, seed: int, other_data: str | None) -> tuple[str, ...]:
    """In what a judging departs from the main one, see `Judging`.

    Args:
        backend: that computed it. other_data: fingerprint of the data, where they are not the run's own.
    """
    from oddframe.scoring.runtimes.choose import interchangeable

    words = [] if backend in interchangeable(trained) else [backend]
    if seed != _MAIN_SEED:
        words.append(f"seed{seed}")
    if other_data is not None:
        words.append(f"data{other_data.rpartition('-')[2][:8]}")
    return tuple(words)

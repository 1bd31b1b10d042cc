"""The figures that a result is made of, as records. AUC, AP, EER, recall and precision are shares, 0..1."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Annotated, Any, Generic, TypeVar, overload

from pydantic import ConfigDict, Field, RootModel

from oddframe.records import Record

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]

T = TypeVar("T")
D = TypeVar("D")


class Named(RootModel[dict[str, T]], Generic[T]):
    """Figures by name: a mapping whose entries are attributes as well.

    >>> auc = Named[float]({"online": 0.5})
    >>> auc.online, auc["online"], list(auc)
    (0.5, 0.5, ['online'])
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    def __getitem__(self, name: str) -> T:
        return self.root[name]

    def __getattr__(self, name: str) -> T:
        root: dict[str, T] = self.__dict__.get("root", {})
        if name in root:
            return root[name]
        raise AttributeError(f"no figures of '{name}'; there are {', '.join(root) or 'none'}")

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def __contains__(self, name: object) -> bool:
        return name in self.root

    @overload
    def get(self, name: str) -> T | None: ...
    @overload
    def get(self, name: str, default: D) -> T | D: ...
    def get(self, name: str, default: Any = None) -> Any:
        """The figures of a name, or something else where there are none."""
        return self.root.get(name, default)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self.root.keys()

    def values(self) -> ValuesView[T]:
        """The figures."""
        return self.root.values()

    def items(self) -> ItemsView[str, T]:
        """Names with their figures."""
        return self.root.items()


class Auc(Record):
    """Figures of one fusion or component over all judged frames.

    Attributes:
        micro: AUC over all frames of all videos together.
        macro: mean over the videos that have frames of both classes.
        interval: 95 % of draws of other videos have their micro AUC in here.
        ap: average precision. eer: equal error rate.
    """

    micro: Share | None
    macro: Share | None
    interval: tuple[Share, Share] | None
    ap: Share | None
    eer: Share | None


class Threshold(Record):
    """What the 99 % quantile of held-out normal video lets through on the test. 1 % is the promise."""

    quantile: float
    heldout_frames: Count
    normal_above: Share | None
    recall: Share | None


class Row(Record):
    """One test video. `online` and `paper` are its own AUCs; `highest` is the largest online score."""

    name: str
    scene: str
    frames: Count
    abnormal: Count
    online: Share | None
    paper: Share | None
    highest: float
    events_found: Count
    events_missed: Count
    false_events: Count


class SceneRow(Record):
    """All test videos of one scene. `online` is the micro AUC over their frames."""

    videos: Count
    frames: Count
    abnormal: Count
    online: Share | None


class PlaceFigures(Record):
    """Figures of one kind of map, 0..1, higher is better.

    Attributes:
        rbdc, tbdc: region-based and track-based detection criterion, see `regions.py`.
        pixel_auc, covered_auc: AUC over pixels, and over frames of which 40 % of the odd pixels must be found, see
            `pixels.py`.
    """

    rbdc: Share | None
    tbdc: Share | None
    pixel_auc: Share | None
    covered_auc: Share | None


class Places(Record):
    """Whether the odd places are found, where masks say which they are.

    Attributes:
        figures: "online" (heat) or local component → figures. left_out: abnormal frames without a mask.
    """

    frames: Count
    left_out: Count
    regions: Count
    tracks: Count
    figures: Named[PlaceFigures]


class KindFigures(Record):
    """One kind of anomaly against all normal frames; `recall` is its share above the 99 % quantile of `online`."""

    auc: Share | None
    recall: Share | None
    frames: Count
    known: bool


class KindGroup(Record):
    """The known kinds, or the unknown ones: AUCs against all normal frames; `recall` as of `KindFigures`."""

    online: Share | None
    paper: Share | None
    distance: Share | None
    recall: Share | None
    frames: Count
    kinds: tuple[str, ...]


class Classes(Record):
    """Figures by kind of anomaly; all empty, and not true, where no kind is named."""

    known: KindGroup | None = None
    unknown: KindGroup | None = None
    each: Named[KindFigures] = Named[KindFigures]({})

    def __bool__(self) -> bool:
        return bool(self.each)


class Undefined(Record):
    """Videos left out of figures: of one class (every macro AUC), or on which Eq. 12 is undefined (`paper`)."""

    macro: tuple[str, ...] = ()
    paper: tuple[str, ...] = ()


class FrameCounts(Record):
    """What was judged."""

    videos: Count
    judged: Count
    abnormal: Count


class TrainedOn(Record):
    """Names of the videos that were trained on."""

    normal: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

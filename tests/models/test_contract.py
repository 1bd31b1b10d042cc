"""A detector of another package that breaks the contract gets one clear error, wherever it breaks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from torch import nn

import oddframe as odd
from oddframe.detectors import DetectorEntry, DetectorSettings, registry
from oddframe.errors import DetectorError, ExportError, TooShortError
from oddframe.evaluation.making import fusions_of
from oddframe.models.catalogue import catalogue
from oddframe.models.detector import Detector, Objective, ParameterGroup, Window, nothing_carried
from oddframe.models.weights import build_detector
from oddframe.nn.evidence import Evidence
from oddframe.progress import unwatched
from oddframe.runs import Run
from oddframe.scoring.runtimes.torch import TorchRuntime
from oddframe.scoring.scorer import Scorer
from oddframe.settings import ScoreSettings, TrainSettings
from oddframe.settings_layers import load_settings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.train import train
from oddframe.video.source import Frame

CPU = torch.device("cpu")
SETTINGS = DetectorSettings(size=(16, 16), channels=1)


class Faded(Detector):
    """Keeps the contract: the frame before, times a number that it learns."""

    window = Window(1, 0)

    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, clip):
        predicted = self.factor * clip[:, 0]
        return Evidence((predicted - clip[:, 1]).square().mean(dim=1) / 4, None, predicted)

    def parameter_groups(self):
        return {"all": ParameterGroup(list(self.parameters()))}

    def objectives(self, batch):
        yield Objective("all", {"error": self(batch.normal.pixels).error.mean()}, {"error": 1.0})


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """install(kind, settings=..., name=..., class_path=...) makes a class, or an entry, a detector called "faded"."""
    module = type(sys)("faded_package")

    def offer(kind: object, *, settings: object = DetectorSettings, name: str = "faded", class_path: str | None = None):
        module.Faded, module.entry = kind, DetectorEntry(name, settings, class_path or "faded_package:Faded")
        point = EntryPoint("faded", "faded_package:entry", registry.ENTRY_POINT_GROUP)
        monkeypatch.setitem(sys.modules, "faded_package", module)
        monkeypatch.setattr(registry, "entry_points", lambda group: [point])
        registry.detectors.cache_clear()

    yield offer
    registry.detectors.cache_clear()


# Named and loaded --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ({"settings": dict}, r"settings of detector 'faded' .* are no DetectorSettings\n  seen:   dict"),
        ({"name": "washed"}, r"'faded' .* needs a name of its own[\s\S]*seen:   washed"),
    ],
)
def test_an_entry_that_is_none_is_warned_of_and_refused_when_it_is_asked_for(install, offered, said):
    install(Faded, **offered)

    with pytest.warns(UserWarning, match="'faded'"):
        assert "faded" not in registry.detectors()
    with pytest.raises(DetectorError, match=said):
        load_settings("tiny", detector="faded")


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("faded_package:Fadde", "AttributeError: .*Fadde"),
        ("faded_package", "AttributeError"),
        ("no_such_package.detector:Faded", "ModuleNotFoundError: No module named 'no_such_package'"),
        (":Faded", "ValueError"),
    ],
)
def test_a_class_that_is_not_where_it_is_said_to_be_is_named_with_that_path(install, path, seen):
    install(Faded, class_path=path)

    with pytest.raises(DetectorError, match=rf"'faded' is not there\n  where:  {path}\n  seen:   {seen}"):
        build_detector("faded", SETTINGS, 0)


@pytest.mark.slow
def test_one_broken_detector_does_not_hide_the_others_from_the_list(install):
    install(Faded, class_path="faded_package:Fadde")

    listed = {one["name"]: one["presets"]["tiny"] for one in catalogue()}

    assert listed["framediff"].to_dict() == {"size": [96, 144], "training": 0, "inference": 0}
    assert listed["faded"]["training"] is None
    assert "is not there" in listed["faded"]["problem"]


# Built -------------------------------------------------------------------------------------------------------


class Silent(Detector):
    """Says nothing of any frame."""


class Forgetful(Faded):
    def __init__(self, settings):
        super().__init__(settings)
        del self.settings


class Drawer(Faded):
    """Its second number is in a plain list, which torch does not look into."""

    def __init__(self, settings):
        super().__init__(settings)
        self.more = [nn.Parameter(torch.tensor(1.0))]

    def parameter_groups(self):
        return {"all": ParameterGroup([self.factor, *self.more])}


def changed(**own: object) -> type[Detector]:
    """The detector that keeps the contract, with something else in it."""
    return type("Faded", (Faded,), {"__module__": __name__, **own})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (dict, r"'faded' is no detector\n  seen:   <class 'dict'>"),
        (Silent, "detector Silent breaks its contract: it cannot judge"),
        (Forgetful, r"does not keep its settings[\s\S]*wanted: self.settings = settings"),
        (changed(window=(4, 0)), r"no proper window\n.*\n  seen:   \(4, 0\)\n  wanted: Window\("),
        (changed(window=Window(0, 1)), r"no proper window\n.*\n  seen:   Window\(before=0"),
        (changed(roles=("anchor",)), r"no such roles\n.*\n  seen:   \('anchor',\)"),
        (
            changed(parameter_groups=lambda self: {"all": ParameterGroup(self.parameters())}),
            "parameter group 'all' is no group of parameters",
        ),
        (Drawer, r"group 'all' has parameters that would not be saved\n.*\n  seen:   1 of 2"),
        (
            changed(parameter_groups=lambda self: {"all": ParameterGroup([self.factor], 1.0, "rmsprop")}),
            r"group 'all' has no such optimizer\n.*\n  seen:   'rmsprop'\n  wanted: Adam\(.* or RMSProp\(",
        ),
    ],
)
def test_what_is_wrong_with_a_detector_is_said_when_it_is_built(install, kind, said):
    install(kind)

    with pytest.raises(DetectorError, match=said):
        build_detector("faded", SETTINGS, 0)


def test_a_window_that_no_video_fills_is_said_before_anything_is_decoded(install, tmp_path):
    install(changed(window=Window(40, 2)))
    told: list[object] = []

    with pytest.raises(TooShortError, match=r"'faded'\n  seen:   at most 15 frames[^\n]*\n  wanted: 43: .*40 before"):
        train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small(), watch=told.append)
    assert told == []


# Trained -----------------------------------------------------------------------------------------------------


def learn(kind: type[Detector], folder: Path) -> None:
    """Two steps of the real loop."""
    settings = TrainSettings(batch=1, abnormal_batch=0, epochs=1)
    sampler = ClipSampler(
        [ClipSource("v", np.zeros((3, 16, 16, 1), np.uint8), np.zeros(3, bool), 0, 3)], 2, settings, ("normal",)
    )
    Loop(
        kind(SETTINGS), sampler, settings, folder=folder, device=CPU, precision="fp32", watch=unwatched
    ).run()  # fmt: skip


def objective(**other: object) -> type[Detector]:
    """A detector whose objective is the right one but for this."""

    def objectives(self, batch):
        error = self(batch.normal.pixels).error
        right = {"group": "all", "terms": {"error": error.mean()}, "weights": {"error": 1.0}}
        yield Objective(**right | {key: value(error) if callable(value) else value for key, value in other.items()})

    return changed(objectives=objectives)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (objective(group="generator"), r"a group that there is not\n.*\n  seen:   'generator'\n  wanted: .*: all"),
        (objective(weights={}), r"lack weights\n.*\n  seen:   terms \['error'\], weights \[\]"),
        (objective(terms={}), "lack weights"),
        (objective(terms=lambda error: {"error": error}), r"'error' is no single number\n.*\n.*shape \(1, 16, 16\)"),
        (objective(terms={"error": 0.5}), r"'error' is no single number\n.*\n  seen:   float"),
        (objective(terms=lambda error: {"error": error.mean().detach()}), "leads to a parameter"),
        (changed(objectives=lambda self, batch: [self.factor]), r"yields something else\n.*\n  seen:   Parameter"),
        (changed(objectives=lambda self, batch: []), "a step has nothing to learn"),
    ],
)
def test_an_objective_that_is_none_ends_training_with_what_the_contract_wants(kind, said, tmp_path):
    with pytest.raises(DetectorError, match=f"detector Faded breaks its contract: .*{said}"):
        learn(kind, tmp_path)


def test_one_that_keeps_the_contract_learns(tmp_path):
    learn(Faded, tmp_path)

    assert (tmp_path / "history.jsonl").is_file()


# Judging -----------------------------------------------------------------------------------------------------


def saying(**other: Callable[[Evidence], object]) -> type[Detector]:
    """A detector whose evidence is the right one but for this."""

    def forward(self, clip):
        right = Faded.forward(self, clip)
        return right._replace(**{key: value(right) for key, value in other.items()})

    return changed(forward=forward)


def with_distance(distance: Callable[[Evidence], object]) -> type[Detector]:
    return type("Faded", (saying(distance=distance),), {"has_distance": True})


def spoilt(evidence: Evidence, value: float) -> torch.Tensor:
    error = evidence.error.clone()
    error[1, 3, 3] = value
    return error


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (saying(error=lambda e: e.error[:, None]), r"error has another shape\n.*\n.*\(2, 1, 16, 16\)\n.*\(2, 16, 16\)"),
        (saying(error=lambda e: e.error.mean()), r"error has another shape\n.*\n  seen:   \(\)"),
        (saying(error=lambda e: None), r"error has another shape\n.*\n  wanted"),
        (saying(predicted=lambda e: e.predicted[:, 0]), r"predicted has another shape\n.*\n  seen:   \(2, 16, 16\)"),
        (saying(distance=lambda e: e.error), r"has_distance says\n.*\n.*has_distance = False, distance \(2, 16"),
        (changed(has_distance=True), r"has_distance says\n.*\n  seen:   has_distance = True, distance None"),
        (with_distance(lambda e: e.error.flatten(1)), r"distance has another shape\n.*\n.*\(2, 256\)\n.*\(2, h, w\)"),
        (with_distance(lambda e: e.error - 1), r"distance is not made of squares\n.*\n.*0 of 512 .*highest -"),
        (saying(error=lambda e: spoilt(e, float("nan"))), r"error is not made of squares\n.*\n.*1 of 512 not finite"),
        (saying(error=lambda e: spoilt(e, float("inf"))), r"error is not made of squares\n.*\n.*highest inf"),
        (saying(error=lambda e: spoilt(e, -0.5)), r"error is not made of squares\n.*\n.*lowest -0.5"),
        (changed(forward=lambda self, clip: clip[:, 0]), r"returns something else\n.*\n  seen:   Tensor"),
    ],
)
def test_evidence_that_is_none_is_refused_before_it_becomes_a_number(kind, said):
    runtime = TorchRuntime(kind(SETTINGS), ScoreSettings(), CPU)

    with pytest.raises(DetectorError, match=said):
        runtime.judge(np.full((2, 2, 16, 16, 1), 90, np.uint8))


def test_a_run_whose_evidence_is_not_a_number_does_not_finish(install, tmp_path):
    kind = saying(error=lambda e: spoilt(e, float("nan")))
    kind.objectives = lambda self, batch: [Objective("all", {"size": self.factor.square()}, {"size": 1.0})]
    install(kind)

    with pytest.raises(DetectorError, match="Faded"):
        train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small())

    assert not Run.open(tmp_path / "run", finished=False).finished


class Squares(Detector):
    """Nothing to learn; its distances are the error of four quarters."""

    window, has_distance = Window(1, 0), True

    def __init__(self, settings):
        super().__init__()
        self.settings = settings

    def forward(self, clip):
        error = (clip[:, 0] - clip[:, 1]).square().mean(dim=1) / 4
        return Evidence(error, 100 * nn.functional.avg_pool2d(error, 8), clip[:, 0])


class ByLargest(DetectorSettings):
    scored_by: ClassVar = {"gamma": 0.0, "online": ["local_distance"], "per_place": []}
    gives_distance = property(lambda self: True)
    paper_distance = property(lambda self: "largest")
    distance_is = property(lambda self: "squared difference of a quarter, 0..100")


def test_one_that_learns_nothing_is_judged_by_its_largest_place_and_says_what_that_is(install, tmp_path):
    install(Squares, settings=ByLargest)
    home = still(tmp_path / "gate")

    run = train(home, out=tmp_path / "run", settings=small())

    assert run.info.parameters == 0
    maps = []
    scorer = Scorer(run)
    scores = scorer.score(home / "normal" / "a", maps=lambda _, found: maps.append(found["local_distance"]))
    largest = np.array([one.max() for one in maps])
    assert len(largest) == 29
    assert scores.paper == pytest.approx((largest - largest.min()) / (largest.max() - largest.min()), abs=1e-6)
    told = fusions_of(scorer.calibration.pooled.fused, run.settings, list(scores.raw))["paper"]
    assert told.weights == {"distance": 1.0}
    assert "of the oddest place" in told.normalised


class Counting(Squares):
    """Carries a count: its distance is that of how many frames of the video came before."""

    def carried(self):
        return {"count": (1,)}

    def carry(self, clip, carried):
        evidence = super().forward(clip)
        count = carried["count"] + 1
        return evidence._replace(distance=count[:, :, None] + 0 * evidence.distance), {"count": count}

    def forward(self, clip):
        return self.carry(clip, nothing_carried(self, clip))[0]


def counted(scorer: Scorer, numbers: Iterable[int]) -> list[int]:
    """What it counts in a stream of frames of these numbers."""
    frames = (Frame(number, None, np.full((16, 16, 1), 80 + number % 7, np.uint8)) for number in numbers)
    return [round(one.raw.values["distance"]) for one in scorer.stream(frames)]


def test_what_is_carried_belongs_to_one_video_and_begins_anew_after_a_gap_and_where_a_stream_goes_back(
    install, tmp_path
):
    install(Counting, settings=ByLargest)
    scorer = Scorer(train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small()))

    assert counted(scorer, range(5)) == [1, 2, 3, 4]
    assert counted(scorer, [0, 1, 2, 10, 11, 12, 4, 5]) == [1, 2, 1, 2, 1]

    sessions = [scorer.session() for _ in range(2)]
    seen = [[], []]
    for number in range(4):  # two streams at once, one of which begins later
        for which, session in enumerate(sessions):
            if number >= which and (score := session.push(np.full((16, 16, 1), 80 + number, np.uint8))) is not None:
                seen[which].append(round(score.raw.values["distance"]))
    assert seen == [[1, 2, 3], [1, 2]]

    video = tmp_path / "gate" / "normal" / "a"
    whole = scorer.score(video)
    assert whole.distance.tolist() == list(range(1, 30))
    (shown,) = scorer.explain(video, [20])
    assert float(shown.heat.max()) == pytest.approx(max(map(float, heat_at(scorer, video, 20))), rel=1e-5)


def heat_at(scorer: Scorer, video: Path, frame: int) -> np.ndarray:
    return next(one.heat for one in scorer.heat_frames(video) if one.frame.index == frame).ravel()


def test_a_stream_that_was_rewound_says_that_what_is_carried_began_anew(install, tmp_path):
    install(Counting, settings=ByLargest)
    scorer = Scorer(train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small()))
    session = scorer.session()
    for number in (0, 1, 2, 0, 1):
        session.push(Frame(number, None, np.full((16, 16, 1), 90, np.uint8)))

    assert "what the detector carries over a video, or learns of it, began anew once, where frames are missing or " \
        "the clock jumps" in session.notes  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_an_exported_graph_carries_what_its_run_does(install, tmp_path, format):
    for needed in ("onnxscript", "onnxruntime", "openvino"):
        pytest.importorskip(needed, reason="the extra `export` is not installed")
    install(Counting, settings=ByLargest)
    run = train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small())
    video = tmp_path / "gate" / "normal" / "a"

    scorer = Scorer(odd.export(run, tmp_path / "model", format=format, check_on=[video]))

    assert scorer.run.about.carried == {"count": (1,)}
    assert scorer.score(video).distance.tolist() == list(range(1, 30))
    assert counted(scorer, [0, 1, 2, 10, 11, 12]) == [1, 2, 1, 2]
    with pytest.raises(ExportError, match="carries count"):
        odd.export(run, tmp_path / "rounded", format=format, precision="int8", calibrate_on=[video])


class Long(Faded):
    """Learns from longer clips than it judges."""

    @property
    def clip_frames(self):
        return 12

    def objectives(self, batch):
        assert batch.normal.pixels.shape[1] == 12
        yield from super().objectives(batch)


def test_training_clips_may_be_longer_than_the_window(install, tmp_path):
    install(Long)

    assert train(still(tmp_path / "gate"), out=tmp_path / "run", settings=small()).finished


def still(home: Path) -> Path:
    """Two normal videos of 30 noisy frames."""
    for seed, name in enumerate(("a", "b")):
        (home / "normal" / name).mkdir(parents=True)
        for index in range(30):
            picture = np.random.default_rng((seed, index)).integers(60, 70, (16, 16), np.uint8)
            assert cv2.imwrite(str(home / "normal" / name / f"{index:03}.png"), picture)
    return home


def small():
    return load_settings(
        "tiny",
        detector="faded",
        overrides=["model.size=[16, 16]", "train.epochs=1", "data.heldout=0.3", "data.least_heldout=1"],
    )

"""A camera that was just moved, darkened or covered raises no alarm before that is said; what happens is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings, HealthSettings
from oddframe.cameras.state import Health, HealthState
from oddframe.instant import MODEL
from oddframe.scoring.fit import calibrate
from oddframe.scoring.scorer import Scorer
from oddframe.site.events import Change
from oddframe.site.holding import Holding
from oddframe.site.live import Live
from oddframe.site.watch import Watch
from oddframe.video.source import Frame
from oddframe.video.write import write_video

from .conftest import change

FPS = 12.5
KNOWN_S = 25
"""By then it is known where a camera looks."""
Picture = NDArray[np.uint8]


def begun(at_s: float, event: str = "a", kind: str = "new", number: int = 0) -> Change:
    return change(kind, number, event=event, start_s=at_s, peak_s=at_s, end_s=at_s + 1)


def names(changes: Sequence[Change]) -> list[str]:
    return [f"{one.event.id} {one.kind}" for one in changes]


def test_what_began_while_the_camera_was_well_is_told_at_once():
    holding = Holding()
    holding.settle(10.0)

    assert names(holding.take([begun(10.0), begun(10.0, kind="end", number=1)])) == ["a new", "a end"]


def test_what_began_in_doubt_is_told_in_order_when_the_camera_turns_out_to_be_well():
    holding = Holding()
    holding.settle(10.0)

    assert holding.take([begun(10.1)]) == []
    assert holding.take([begun(10.1, kind="end", number=1), begun(12.0, "b")]) == []
    assert holding.holds
    assert holding.settle(10.0) == []
    assert names(holding.settle(11.0)) == ["a new", "a end"]
    assert holding.holds
    assert names(holding.settle(12.5)) == ["b new"]
    assert names(holding.take([begun(12.0, "b", "end", 1)])) == ["b end"]
    assert holding.dropped == 0


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (HealthState.MOVED, []),
        (HealthState.DARK, []),
        (HealthState.BLINDED, []),
        (HealthState.FROZEN, []),
        (HealthState.OFFLINE, ["a new", "a end"]),
        (None, ["a new", "a end"]),
    ],
)
def test_what_the_camera_explains_is_never_told_and_what_it_does_not_is(state, told):
    holding = Holding()
    holding.take([begun(3.0), begun(3.0, kind="end", number=1)])

    assert names(holding.end(state)) == told
    assert holding.dropped == (0 if told else 1)
    assert names(holding.take([begun(3.0, kind="repeat", number=2)])) == (["a repeat"] if told else [])


def scene() -> Picture:
    chance = np.random.default_rng(4)
    picture = cv2.resize(
        chance.integers(60, 190, (9, 12)).astype(np.float32), (288, 192), interpolation=cv2.INTER_CUBIC
    )
    for _ in range(30):
        top, left = chance.integers(0, 160), chance.integers(0, 250)
        picture[top : top + chance.integers(8, 40), left : left + chance.integers(8, 40)] += chance.integers(-60, 60)
    return np.clip(picture, 20, 230).astype(np.uint8)


SCENE = scene()


def recorded(path: Path, shown: Callable[[float], Picture], seconds: float, seed: int) -> Path:
    """A video of what is shown at each moment, with some noise."""
    chance = np.random.default_rng(seed)

    def frames() -> Iterator[Frame]:
        for number in range(round(seconds * FPS)):
            grey = shown(number / FPS).astype(np.int16)
            noisy = np.clip(grey + chance.integers(-3, 4, grey.shape), 0, 255).astype(np.uint8)
            yield Frame(number, number / FPS, np.repeat(noisy[:, :, None], 3, axis=2))

    write_video(path, frames())
    return path


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """Of the scene as it always is."""
    pytest.importorskip("onnxruntime")
    home = tmp_path_factory.mktemp("fitted")
    normal = recorded(home / "normal.mp4", lambda _: SCENE, 40, seed=1)
    calibrate(MODEL, normal, out=home / "fitting", backend="onnxruntime")
    return Scorer(MODEL, backend="onnxruntime", fitting=home / "fitting")


def watched(folder: Path, scorer: Scorer, changed: Callable[[Picture], Picture], seconds: float, **health: float):
    """What is told of a camera whose picture is another one for some seconds, and how many events are never told.

    Of events those that begin in these seconds: the line is drawn on so little video that there are others.
    """
    path = folder / "gate.mp4"
    if not path.exists():
        end_s = KNOWN_S + seconds
        recorded(path, lambda at_s: changed(SCENE) if KNOWN_S <= at_s < end_s else SCENE, end_s + 8, seed=2)
    told: list[str] = []

    class Told:
        def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
            told.extend(one.kind for one in changes if KNOWN_S <= one.event.start_s < KNOWN_S + seconds)

        def health_changed(self, watch: Watch, health: Health) -> None:
            told.append(str(health.state))

        def ending(self) -> None:
            pass

    settings = CameraSettings(pace="taken", loop=False, health=HealthSettings(**health))
    with Live(Address.parse(str(path)), scorer, Told(), settings=settings) as live:
        live.follow(lambda _: None)
    return told, live._watch.doubted


def turned(picture: Picture) -> Picture:
    return np.roll(picture, 60, axis=1)


def dark(picture: Picture) -> Picture:
    return np.full_like(picture, 8)


def covered(picture: Picture) -> Picture:
    return np.full_like(picture, 128)


def glaring(picture: Picture) -> Picture:
    return np.full_like(picture, 255)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "state", "off"),
    [
        (turned, "moved", {"moved_share": 1}),
        (dark, "dark", {"dark_span": 0, "moved_share": 1}),
        (covered, "dark", {"dark_span": 0, "moved_share": 1}),
        (glaring, "blinded", {"blinded_share": 1, "dark_span": 0, "moved_share": 1}),
    ],
)
def test_a_camera_that_was_just_moved_or_darkened_raises_no_alarm(tmp_path, scorer, changed, state, off):
    unwatched, _ = watched(tmp_path, scorer, changed, 45, **off)
    told, dropped = watched(tmp_path, scorer, changed, 45)

    assert "new" in unwatched, "the detector finds it odd, if nothing is known of the camera"
    assert {*told[: told.index(state)]} <= {"starting", "online"}
    assert dropped <= 1  # none where the state is declared before an event could begin


@pytest.mark.slow
def test_a_van_that_stops_in_front_of_the_camera_is_told_when_it_has_gone(tmp_path, scorer):
    def van(picture: Picture) -> Picture:
        stands = picture.copy()
        stands[:, 20:260] = 200 - picture[::-1, 20:260] // 2
        return stands

    told, dropped = watched(tmp_path, scorer, van, 4)

    assert {"new", "end"} <= {*told}
    assert not {"moved", "dark", "blinded"} & {*told}
    assert dropped == 0

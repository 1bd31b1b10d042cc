"""A detector that was learned, or its stand-in, becomes what watches the camera. The engine follows the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddframe.errors import SettingsError
from oddframe.records import Record
from oddframe.scoring.regions import RegionsRecord
from oddframe.site.commands.line import line_for
from oddframe.site.shapes import WatchSettings
from oddframe.site.store import Store
from oddframe.site.store.records import FittingRecord
from oddframe.teaching.record import Outcome, StandIn

AUTHOR = "learning"
"""Of lines and of entries in the log of changes."""


def watching(store: Store, camera: str) -> FittingRecord | None:
    """What judges a camera now."""
    fittings = store.cameras.fittings(camera)
    return fittings[0] if fittings and fittings[0].retired_at is None else None


def has_detector(store: Store, camera: str) -> bool:
    """Whether a detector judges a camera that is no stand-in."""
    now = watching(store, camera)
    return now is not None and not now.stand_in


class Places(Record):
    """Which places of a camera's picture count, and the polygons that are private, as a `Task` takes them."""

    regions: RegionsRecord | None
    private: tuple[tuple[tuple[float, float], ...], ...]


def places_of(store: Store, camera: str) -> Places:
    """Those of a camera."""
    settings = WatchSettings.of(camera, store.cameras.get(camera).settings)
    regions = settings.regions
    return Places(
        regions=None if regions is None else RegionsRecord.model_validate(regions.model_dump(mode="json")),
        private=settings.private,
    )


def install_stand_in(store: Store, camera: str, stand_in: StandIn, task: Mapping[str, Any]) -> None:
    """Have the stand-in watch, unless a detector does.

    Raises:
        StoreError: it cannot be written.
    """
    if not has_detector(store, camera):
        about = {"stand_in": True, "seconds": stand_in.seconds, "private": task["private"]}
        watch_by(store, camera, f"stand-in of {camera}", stand_in.detector, stand_in.fitting, about)


def install(store: Store, camera: str, made: Outcome, task: Mapping[str, Any], number: int) -> None:
    """Have a detector that was learned watch from now on. Lines are drawn anew for the rates that were asked for.

    Raises:
        StoreError: it cannot be written. RunError: the detector or its fitting is damaged.
    """
    name = f"{camera}, learned {number}.{task['attempt']}"
    about = {"learning": number, "attempt": task["attempt"], "private": task["private"]}
    watch_by(store, camera, name, made.detector, made.fitting, about)


def watch_by(
    store: Store, camera: str, name: str, detector: str, fitting: str, about: Mapping[str, Any], author: str = AUTHOR
) -> None:
    """Have a detector watch, with its fitting. Lines are drawn anew for the rates that were asked for.

    Raises:
        StoreError: it cannot be written. RunError: the detector or its fitting is damaged.
    """
    drawn = []
    for profile in tuple(store.cameras.profiles(camera)) or ("",):
        held = store.cameras.line(camera, profile)
        if held is not None:
            try:
                line = line_for(Path(detector), Path(fitting), held.asked_per_day)
            except SettingsError:
                line = line_for(Path(detector), Path(fitting), None)
            drawn.append(line.record(camera, profile, author))
    with store.together():
        known = {one.folder: one.name for one in store.cameras.detectors()}
        if detector not in known:
            taken = set(known.values())
            store.cameras.put_detector(name if name not in taken else detector, detector)
            known[detector] = name if name not in taken else detector
        store.cameras.fit(camera, known[detector], fitting, about)
        for one in drawn:
            store.cameras.set_line(one)
        store.journal.log(
            author,
            "changed",
            f"detector of {camera}",
            {"before": {}, "after": {"detector": detector, "fitting": fitting, "stand_in": "stand_in" in about}},
        )

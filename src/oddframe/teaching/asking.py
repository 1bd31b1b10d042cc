"""What people ask of a camera's learning: the same for the command line, REST and pages. Done by a `Teacher`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oddframe.errors import ConflictError, MissingPathError, SettingsError
from oddframe.records import Record, in_words
from oddframe.site.learning import Asked, LearnSettings, ask, asked_of, change
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.record import Check, Learning, State, learning_folder, read_check, read_learning
from oddframe.teaching.record import in_words as learning_in_words


class Standing(Record):
    """How a camera's learning stands.

    Attributes:
        state: "" where it does not learn, "waiting" until the site's process has taken it up. words: in a sentence.
        folder: where pictures and all else of it lie. asked: what was asked. check: of the normal video, once there.
    """

    state: str
    words: str
    folder: Path = Path()
    asked: Asked | None = None
    learning: Learning | None = None
    check: Check | None = None


def start(
    store: Store, camera: str, settings: Mapping[str, Any] | LearnSettings, author: str, *, videos: Sequence[Path] = ()
) -> Asked:
    """Have a camera learn, in place of what it has learned or was learning.

    Args:
        settings: as in a site's file. videos: recordings in place of what the camera sends.

    Raises:
        UnknownNameError: there is no such camera. ConflictError: the site's file names its detector.
        SettingsError: the settings do not fit. MissingPathError: a recording is not there.
    """
    record = store.cameras.get(camera)
    if "detector" in record.of_file:
        raise ConflictError(
            f"the site's file names the detector of camera '{camera}'", hint="put 'learn' in the place of 'detector'"
        )
    try:
        how = settings if isinstance(settings, LearnSettings) else LearnSettings.model_validate(dict(settings))
    except ValidationError as failed:
        raise SettingsError(
            "a camera cannot learn so", seen=in_words(failed), wanted=" | ".join(LearnSettings.names())
        ) from None
    for video in videos:
        if not Path(video).exists():
            raise MissingPathError("there is no such recording", path=video, wanted="a video file, or a folder of them")
    return ask(store, camera, how, author, videos=tuple(str(Path(video).resolve()) for video in videos))


def stop(store: Store, camera: str, author: str) -> Asked:
    """Have a camera learn no more; what watches goes on, and collected video stays until it learns again.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: it does not learn.
    """
    return change(store, camera, author, "stop learning", lambda one: one.changed(stopped=True))


def collected(store: Store, camera: str, author: str) -> Asked:
    """Collect no more: train on what is there. Raises as `stop`."""
    return change(store, camera, author, "end collecting", lambda one: one.changed(collected=True))


def again(store: Store, camera: str, author: str) -> Asked:
    """Try again what failed, or go on with what was stopped. Raises as `stop`."""
    return change(store, camera, author, "learn again", lambda one: one.changed(retries=one.retries + 1, stopped=False))


def leave_out(store: Store, camera: str, numbers: Sequence[int], author: str) -> Asked:
    """Leave out pieces of the normal video that are not normal, by their numbers in the check.

    What was trained on them is trained again.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: it does not learn, or there is no such piece.
    """
    check = standing(store, camera).check
    known = {} if check is None else {one.number: one.name for one in check.odd}
    if strange := [number for number in numbers if number not in known]:
        raise SettingsError(
            "there is no such odd piece",
            seen=strange[0],
            wanted=f"1 to {len(known)}" if known else "a number of the list; it is made once there is video to look at",
        )
    names = [known[number] for number in numbers]
    return change(
        store,
        camera,
        author,
        "leave out",
        lambda one: one.changed(left_out=tuple(dict.fromkeys((*one.left_out, *names)))),
    )


def standing(store: Store, camera: str) -> Standing:
    """How a camera's learning stands.

    Raises:
        UnknownNameError: there is no such camera. RunError: its record is damaged.
    """
    record = store.cameras.get(camera)
    asked = asked_of(store, record.id)
    if asked is None:
        return Standing(state="", words=f"it does not learn: oddframe site learn SITE {camera} --collect 24h")
    folder = learning_folder(store.folder, record.id, asked.number)
    learning = read_learning(folder)
    if learning is None:
        return Standing(
            state="waiting", words="it begins once the site runs: oddframe serve", folder=folder, asked=asked
        )
    words = learning_in_words(learning, utc_now())
    if asked.stopped and learning.state is not State.STOPPED:
        words += "; it is about to stop"
    return Standing(
        state=str(learning.state), words=words, folder=folder, asked=asked, learning=learning, check=read_check(folder)
    )

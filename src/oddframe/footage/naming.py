"""Videos that somebody names, each with a name of its own for its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from oddframe.errors import MissingPathError, SettingsError
from oddframe.storage.place import Place, place_of
from oddframe.storage.remote import Remote
from oddframe.video.discover import find_remote, find_videos, printable
from oddframe.video.source import list_pictures


def named(paths: Sequence[Place | str]) -> list[tuple[str, Place]]:
    """Files, folders of frames, and what lies in other folders, with names of their own, which their folders bear, too.

    Raises:
        SettingsError: two of them would have one folder. MissingPathError: there is no video in a folder.
    """
    found: dict[Place, tuple[str, Place]] = {
        path.resolve() if isinstance(path, Path) else path: (name, path)
        for given in paths
        for name, path in _videos_at(place_of(given))
    }
    alike = Counter(name for name, _ in found.values())
    names = [(name if alike[name] == 1 else name + path.suffix, path) for name, path in found.values()]
    taken: dict[str, Place] = {}
    for name, path in names:
        if (other := taken.setdefault(name, path)) != path:
            raise SettingsError(
                f"two videos are called '{name}', and would write into one folder",
                seen=f"{other} and {path}",
                hint="name the folder that both lie in, or score them with an --out of their own each",
            )
    return names


def _videos_at(path: Place) -> Sequence[tuple[str, Place]]:
    if isinstance(path, Remote):
        if path.facts() is not None:
            return [(printable(path.stem), path)]
        if remote := find_remote(path):
            return [(one.name, one.path) for one in remote]
        raise MissingPathError("there is no video at this address", path=str(path), wanted="video files in a folder")
    if not path.is_dir():
        return [(printable(path.stem), path)]
    if list_pictures(path):
        return [(printable(path.resolve().name), path)]
    if inside := find_videos(path).videos:
        return [(one.name, one.path) for one in inside]
    raise MissingPathError("there is no video in this folder", path=path, wanted="video files or folders of frames")

"""The test videos that a judging has behind it, on the disk until its result is there: who is interrupted goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.errors import OddframeError
from oddframe.evaluation.stored import JudgedVideo, read_scores, write_scores

if TYPE_CHECKING:
    from oddframe.data.videoset import LabelledVideo


class JudgedSoFar:
    """Judged videos in a folder beside the result that they are for, a file each.

    Another judging than the one that left them (other weights, calibration, data, labels, backend or version) takes
    nothing of them; neither does one that finds a file damaged. What is in the way of keeping them (a full disk) stops
    no judging: it is then begun anew after the next interruption.

    Args:
        result: path of the result.
        made_of: what the scores rest on, as plain values.
    """

    def __init__(self, result: Path, made_of: Mapping[str, str]) -> None:
        known = json.dumps({**made_of, "oddframe": version("oddframe")}, sort_keys=True)
        self._key = hashlib.blake2b(known.encode(), digest_size=16).hexdigest()
        self._folder = result.with_name(f".{result.stem}.so-far")

    def of(self, number: int, video: LabelledVideo) -> JudgedVideo | None:
        """Return what was judged of a test video, the `number`-th, before; None where it is to be judged."""
        path = self._path(number)
        if not path.is_file():
            return None
        try:
            (found,) = read_scores(path)
        except (OddframeError, ValueError):
            return None
        return found if (found.name, found.scene) == (video.name, video.scene) else None

    def keep(self, number: int, judged: JudgedVideo) -> None:
        """Keep a test video, the `number`-th, that has been judged."""
        with contextlib.suppress(OSError, OddframeError):
            self._folder.mkdir(exist_ok=True)
            write_scores(self._path(number), [judged])

    def clear(self) -> None:
        """Remove all of them, those of other judgings of the same result, too."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._key}-{number:05d}.npz"

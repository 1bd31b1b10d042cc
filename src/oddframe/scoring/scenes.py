"""Which of the trained scenes a video shows: said, or by the folder that it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from oddframe.artefact import Trained
from oddframe.errors import SettingsError, nearest
from oddframe.scoring.backgrounds import Backgrounds
from oddframe.scoring.calibration import POOLED, Calibration
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.fitting import Fitting
from oddframe.storage.place import Place
from oddframe.storage.remote import Remote
from oddframe.video.discover import printable


@dataclass(frozen=True)
class Scenes:
    """The scenes that a run was trained on.

    Attributes:
        named: their names; () for a run of one camera that has none.
        known: whether these are all of them: runs of earlier versions tell only those with a calibration of their own.
    """

    named: tuple[str, ...]
    known: bool

    @classmethod
    def of(cls, calibration: Calibration, backgrounds: Backgrounds) -> Self:
        """Those that either names."""
        found = dict.fromkeys([*backgrounds.scenes, *(calibration.filmed or ()), *calibration.scenes])
        named = tuple(sorted(name for name in found if name != POOLED))
        return cls(named, bool(backgrounds.scenes))

    @classmethod
    def of_run(cls, trained: Trained, fitting: Fitting | None = None) -> Self:
        """Those of a run or an artefact, or of its fitting; its network is not loaded.

        Raises:
            RunError: its files are damaged.
        """
        folder = trained.folder if fitting is None else fitting.folder
        return cls.of(load_calibration(folder), Backgrounds.load(folder))

    def check(self, asked: str) -> None:
        """Refuse a scene that was not in the training.

        Raises:
            SettingsError: it was not; the nearest one is named.
        """
        asked = printable(asked)
        if not asked or asked in self.named or not self.known:
            return
        raise SettingsError(
            f"this run knows no scene '{asked}'",
            seen=f"--scene {asked}",
            wanted=" | ".join(self.named) or "none: it was trained on one camera without a name",
            hint=nearest(asked, self.named) or ("leave --scene out" if not self.named else None),
        )

    def choose(self, asked: str, folders: Sequence[str]) -> tuple[str, str]:
        """The scene of a video, and a sentence that its reader must know, or "".

        Args:
            asked: by its user, "" where nothing was said.
            folders: names of the folders that it lies in, the nearest last. As in training, a folder is a scene.

        Raises:
            SettingsError: as `check`.

        >>> scenes = Scenes(("belt", "gate"), known=True)
        >>> scenes.choose("", ["test", "gate"])
        ('gate', '')
        """
        asked = printable(asked)
        self.check(asked)
        if asked:
            return asked, ""
        for first in range(len(folders)):
            for name in ("/".join(folders[first:]), folders[len(folders) - 1 - first]):
                if name in self.named:
                    return name, ""
        if len(self.named) == 1:
            return self.named[0], ""
        if not self.named:
            return "", ""
        names = ", ".join(self.named[:8]) + (" ..." if len(self.named) > 8 else "")
        return "", (
            f"no scene was named, and the run knows {len(self.named)} ({names}): the video is judged by what is normal "
            f"in all of them together, which finds less. Give --scene, e.g. --scene {self.named[0]}, or call its "
            "folder by its scene"
        )


def folders_of(name: str, path: Place) -> list[str]:
    """The folders that a video lies in, the nearest last, by its name (`gate/monday`) or else by its path."""
    *within, _ = name.split("/")
    parts = path.parent.url.split("/") if isinstance(path, Remote) else path.resolve().parent.parts
    return within or [printable(part) for part in parts[-3:] if part not in ("", "/")]

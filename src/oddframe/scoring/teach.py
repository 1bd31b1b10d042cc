"""Teaching a fitting: what people said of it changes where its alarms begin, and can be taken back without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from oddframe.artefact import Trained
from oddframe.files import lock
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.fitting import Fitting, Stamps
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.kept import KeptMaps
from oddframe.scoring.taught import Fitted, Said
from oddframe.scoring.taught_file import write_taught

_LOCK = ".lock"

_held: dict[Path, tuple[Stamps, Fitted]] = {}
"""Folder of the last fitting that was taught, or tried → the state of its files, and what was read of them."""


def fitted_of(fitting: Fitting) -> Fitted:
    """What a fitting was made of, without what it was taught.

    That of the last one is held, for who tries a review will carry it out, and review the next event of that camera.

    Raises:
        RunError: a file of it is damaged.
    """
    stamps = fitting.stamps
    held = _held.get(fitting.folder)
    if held is None or held[0] != stamps:
        info = fitting.info
        held = (
            stamps,
            Fitted(
                load_calibration(fitting.folder),
                load_judged(fitting.folder, info.evidence),
                info.score,
                KeptMaps() if info.maps is None else KeptMaps.load(fitting.folder, info.maps),
                fitting.regions,
            ),
        )
        _held.clear()
        _held[fitting.folder] = held
    return held[1]


def teach(folder: Path | str, trained: Trained, change: Callable[[Said], Said]) -> Fitting:
    """Change what a fitting was taught; return it as it is since.

    With what was said before, it is again what it was, file by file. Processes that teach at the same time wait for
    each other.

    Args:
        folder: of a fitting of `trained`. change: what was said so far → what is to hold.

    Raises:
        RunError: there is no fitting, or it is damaged. StorageError: it cannot be written.
        MissingExtraError: weights are to be fitted, and scipy is not installed.

    Example:
        >>> teach("gate-fitting", trained, lambda said: said.without(17))                         # doctest: +SKIP
    """
    folder = Path(folder)
    with lock(folder / _LOCK):
        fitting = Fitting.open(folder, trained)
        said = Said() if fitting.taught is None else fitting.taught.said
        wanted = change(said)
        write_taught(folder, wanted, *fitted_of(fitting).after(wanted))
        return Fitting.open(folder, trained)

"""Packages of others that report to their makers, write into the user's home, or fail by where they are called: here is
how they are imported so that they do not. Nothing else imports them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from oddframe.errors import MissingExtraError
from oddframe.files import CACHE_VARIABLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def import_onnxruntime() -> Any:
    """Import onnxruntime without its telemetry, which reports every session from version 1.29 on, and keeps an
    identifier of the machine in the home.

    Raises:
        MissingExtraError: it is not installed.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when its library is loaded
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("scoring with onnxruntime", "runtime") from None
    onnxruntime.disable_telemetry_events()  # where somebody else has loaded it before
    return onnxruntime


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports each import.

    Raises:
        MissingExtraError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError:
        raise MissingExtraError("OpenVINO", "export") from None
    return openvino


def import_nncf() -> Any:
    """Import NNCF without the telemetry that it shares with OpenVINO.

    Raises:
        MissingExtraError: it is not installed.
    """
    import_openvino()
    try:
        import nncf
    except ImportError:
        raise MissingExtraError("int8", "export") from None
    return nncf


@contextlib.contextmanager
def hidden(package: str) -> Iterator[None]:
    """A block in which a package cannot be imported, as if it were not installed, unless it has been already.

    TensorBoard loads boto3 wherever that is installed, which tries an address of this computer while it is imported.
    """
    first = package not in sys.modules
    if first:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if first:
            del sys.modules[package]


def new_figure(what: str, size: tuple[float, float]) -> Figure:
    """A figure of matplotlib that is only ever written into a file: it needs neither a screen nor a notebook.

    Args:
        what: is drawn, for the error. size: (width, height) in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    first = "matplotlib" not in sys.modules
    # A notebook names its own backend for all that it starts, and matplotlib does not load where that one is missing.
    backend = os.environ.pop("MPLBACKEND", None) if first else None
    try:
        if first:
            _keep_fonts_in_the_cache()
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(what, "train") from None
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend is not None:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend  # for what else this process draws
    return Figure(figsize=size, layout="constrained")


def _keep_fonts_in_the_cache() -> None:
    """Have matplotlib keep its list of fonts in this package's cache, unless the user has set matplotlib up."""
    with contextlib.suppress(RuntimeError, KeyError):  # no home: matplotlib takes a folder for the time it runs
        if not (platformdirs.user_config_path("matplotlib") / "matplotlibrc").is_file():
            cache = Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_path("oddframe"))
            if cache.is_absolute():
                os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))

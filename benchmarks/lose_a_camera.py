"""Loses a real RTSP camera, by killing its server or stopping it with the socket open, and says how long it took.

    python benchmarks/lose_a_camera.py VIDEO --seconds 1 20 90 --json benchmarks/results/lose_a_camera.json

All losses run side by side, each with a server and a camera of its own, with the default settings. Needs GStreamer's
RTSP server in the system's Python, as the tests do. Ends with 1 if a camera was not offline or frozen within 30 s, or
not online within 60 s of its return.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.cameras.streams import RtspServer, missing, published

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import HealthState

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Loss:
    """What became of one loss.

    Attributes:
        how: killed or stopped. seconds: for so long. noticed_s: until it was offline or frozen. back_s: from its return
            until it was online. opened: how often it was opened in all.
    """

    how: str
    seconds: float
    noticed_s: float
    back_s: float
    opened: int

    @property
    def fine(self) -> bool:
        """Whether both were in time."""
        return self.noticed_s <= 30 and self.back_s <= 60


def lose(mount: dict[str, str], folder: Path, how: str, seconds: float) -> Loss:
    """Lose one camera, and find it again."""
    server = RtspServer(Path(tempfile.mkdtemp(dir=folder)), {"/live": mount})
    try:
        with Camera(Address.parse(server.url("/live")), CameraSettings(), (128, 192), 5) as camera:

            def until(*states: HealthState) -> float:
                return _until(lambda: camera.health.state in states)

            until(HealthState.ONLINE)
            lost = time.monotonic()
            if how == "killed":
                server.kill()
            else:
                server.signal(signal.SIGSTOP)
            noticed_s = until(HealthState.OFFLINE, HealthState.FROZEN)
            time.sleep(max(0.0, seconds - (time.monotonic() - lost)))
            if how == "killed":
                server.start()
            else:
                server.signal(signal.SIGCONT)
            back_s = until(HealthState.ONLINE)
            return Loss(how, seconds, round(noticed_s, 2), round(back_s, 2), camera.counts.opened)
    finally:
        server.kill()


def _until(true: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not true() and time.monotonic() - began < _PATIENCE_S:
        time.sleep(0.02)
    return time.monotonic() - began


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, help="an H.264 or H.265 file")
    parser.add_argument("--seconds", type=float, nargs="+", default=[1, 20, 90], help="how long each is lost")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    if lacking := missing():
        sys.exit(f"no RTSP server: {lacking}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(16) as pool:
        mount = published(given.video, Path(folder))
        wanted = [(how, seconds) for how in ("killed", "stopped") for seconds in given.seconds]
        losses = [one.result() for one in [pool.submit(lose, mount, Path(folder), *one) for one in wanted]]
    for loss in losses:
        print(
            f"{loss.how} for {loss.seconds:g} s: noticed after {loss.noticed_s:.1f} s, back {loss.back_s:.1f} s after "
            f"its return, opened {loss.opened} times"
        )
    if given.json:
        given.json.write_text(json.dumps([asdict(loss) for loss in losses], indent=1) + "\n")
    sys.exit(not all(loss.fine for loss in losses))


if __name__ == "__main__":
    main()

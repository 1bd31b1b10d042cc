"""Do cameras keep their pace while a site's console is attacked, and is anything given away?

    python benchmarks/attack_the_console.py --seconds 60 --json benchmarks/results/attack_the_console.json

A site of `oddframe serve` watches drawn files in a loop. Its figures are taken for some time in peace, and for as long
under attack, from one process of lowest priority: logins with wrong passwords, event streams by the hundred, requests
that are sent letter by letter, bodies of ten megabytes, and evidence asked for by paths. Meanwhile somebody who is
logged in looks at the events. Both halves run on the same machine, so what the attackers themselves compute is in it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from load_a_site import draw_clip
from oddframe.instant import MODEL
from oddframe.runs import host

PASSWORD = "correct horse battery"
SIZE, FPS, FRAMES = (240, 360), 12.5, 250
WORKERS = 8
"""Of each kind of attack."""


def main() -> None:
    """Measure, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cameras", type=int, default=2)
    asked.add_argument("--seconds", type=float, default=60.0, help="of each half")
    asked.add_argument("--json", type=Path)
    asked.add_argument("--attack", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.attack:
        attack(given.attack, given.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.cameras, given.seconds)
    text = json.dumps(figures, indent=2)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")


def measure(folder: Path, cameras: int, seconds: float) -> dict[str, Any]:
    """The figures of both halves."""
    clip = draw_clip(folder / "clip.mp4", SIZE, FPS, FRAMES)
    site = {
        "folder": "site",
        "cameras": {
            f"camera-{one}": {"address": str(clip), "detector": str(MODEL), "scene": "square"} for one in range(cameras)
        },
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(site))
    with served(folder / "site.yaml") as console, logged_in(console) as client:
        wait_for_frames(client, cameras)
        peace = half(client, seconds)
        command = [sys.executable, __file__, "--attack", console["url"], "--seconds", str(seconds)]
        attackers = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.nice(19))
        attacked = half(client, seconds)
        answers = json.loads(attackers.communicate()[0])
    told = {"cameras": cameras, "seconds": seconds, "workers": WORKERS, "host": host().to_dict()}
    return {**told, "peace": peace, "attacked": attacked, "answers": answers}


@contextlib.contextmanager
def served(site: Path) -> Iterator[dict[str, Any]]:
    """`oddframe serve`; gives what it says of its console."""
    command = [
        sys.executable,
        "-m",
        "oddframe",
        "serve",
        str(site),
        "--port",
        "0",
        "--json",
        "--backend",
        "onnxruntime",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(told for line in process.stdout if (told := json.loads(line))["kind"] == "console")
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()


@contextlib.contextmanager
def logged_in(console: dict[str, Any]) -> Iterator[httpx.Client]:
    """Somebody who has taken a password of his own."""
    with httpx.Client(base_url=console["url"], timeout=60) as client:
        me = client.post("/api/v1/session", json={"name": "admin", "password": console["password"]}).json()
        client.headers["X-CSRF-Token"] = me["csrf"]
        client.put("/api/v1/session/password", json={"old": console["password"], "new": PASSWORD}).raise_for_status()
        yield client


def wait_for_frames(client: httpx.Client, cameras: int) -> None:
    """Until each camera is judged."""
    for _ in range(1200):
        if (
            sum(1 for one in client.get("/api/v1/cameras").json() if (one["now"] or {}).get("judged", 0) > 50)
            == cameras
        ):
            return
        time.sleep(0.1)
    raise SystemExit("the cameras are not judged")


def half(client: httpx.Client, seconds: float) -> dict[str, Any]:
    """Frames judged and dropped in a second, and how long somebody waits who looks at the events.

    The load average is that at the end: of the last minute, with all else that the machine does.
    """
    before, began_s, waits_s, refused = counted(client), time.monotonic(), [], 0
    while time.monotonic() - began_s < seconds:
        asked_s = time.monotonic()
        try:
            client.get("/api/v1/events").raise_for_status()
            waits_s.append(time.monotonic() - asked_s)
        except httpx.HTTPError:
            refused += 1
        time.sleep(0.5)
    after, took_s = counted(client), time.monotonic() - began_s
    waits_s.sort()
    return {
        "judged_per_s": round((after["judged"] - before["judged"]) / took_s, 2),
        "dropped_per_s": round((after["dropped"] - before["dropped"]) / took_s, 2),
        "latency_s": after["latency_s"],
        "looks": len(waits_s),
        "looks_refused": refused,
        "load_average": round(os.getloadavg()[0], 1),
        "look_p95_s": round(waits_s[int(0.95 * len(waits_s))], 3) if waits_s else None,
    }


def counted(client: httpx.Client) -> dict[str, Any]:
    """What the engine has done so far."""
    for _ in range(600):  # connections of this address may be used up for some seconds
        with contextlib.suppress(httpx.HTTPError):
            cameras = [one["now"] for one in client.get("/api/v1/cameras").raise_for_status().json()]
            latency_s = client.get("/api/v1/system").raise_for_status().json()["engine"]["latency_s"]
            return {
                "judged": sum(one["judged"] for one in cameras),
                "dropped": sum(sum(one["dropped"].values()) for one in cameras),
                "latency_s": latency_s,
            }
        time.sleep(0.1)
    raise SystemExit("the console does not answer")


# The attackers --------------------------------------------------------------------------------------------------


def attack(url: str, seconds: float) -> None:
    """Attack for so long, and print how each was answered."""
    until_s = time.monotonic() + seconds
    answers: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in KINDS}

    def work(kind: Callable[[httpx.Client, str], str]) -> None:
        with httpx.Client(base_url=url, timeout=20) as client:
            while time.monotonic() < until_s:
                try:
                    answers[kind.__name__][kind(client, url)] += 1
                except (httpx.HTTPError, OSError) as error:
                    answers[kind.__name__][f"closed: {type(error).__name__}"] += 1

    threads = [threading.Thread(target=work, args=(kind,)) for kind in KINDS for _ in range(WORKERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(json.dumps(answers))


def logins(client: httpx.Client, _: str) -> str:
    """A guess."""
    body = {"name": random.choice(("admin", "root", "ann")), "password": f"guess {random.random()}"}
    return str(client.post("/api/v1/session", json=body).status_code)


def streams(client: httpx.Client, _: str) -> str:
    """A stream without a login."""
    with client.stream("GET", "/events-stream") as answer:
        return str(answer.status_code)


def letters(_: httpx.Client, url: str) -> str:
    """A request letter by letter."""
    parsed = httpx.URL(url)
    with socket.create_connection((parsed.host, parsed.port or 80), timeout=20) as slow:
        for letter in b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 200:
            slow.sendall(bytes([letter]))
            time.sleep(0.1)
        return "it was taken"


def bodies(client: httpx.Client, _: str) -> str:
    """Ten megabytes."""
    return str(client.post("/api/v1/session", content=b"x" * 10 * 2**20).status_code)


def paths(client: httpx.Client, _: str) -> str:
    """Files that are none of anybody's business."""
    tricks = (
        "/api/v1/evidence/..%2fsite.key",
        "/look/x/..%2f..%2fapp.py",
        "/api/v1/evidence/1",
        "/%2e%2e/%2e%2e/etc/passwd",
    )
    answer = client.get(random.choice(tricks))
    return f"{answer.status_code}{' GIVEN AWAY' if b'root:' in answer.content or b'import' in answer.content else ''}"


KINDS = (logins, streams, letters, bodies, paths)


if __name__ == "__main__":
    main()

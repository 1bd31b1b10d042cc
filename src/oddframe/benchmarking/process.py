"""A contender in a process of its own: no thread pool meets another one, and the memory that it takes is its own.

The parent writes one line of JSON a request, the child answers with one: at first the contender's arguments, then an
empty object for each turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO, Any

from oddframe.benchmarking.contenders import CONTENDERS
from oddframe.errors import OddframeError
from oddframe.processes import last_words
from oddframe.runs import peak_memory_mb

_PATIENCE_S = 10.0


class ContenderLostError(Exception):
    """Its process ended without an answer: killed because memory ran out, most likely."""


class Process:
    """A contender that waits for its turn.

    Args:
        kind: one of `CONTENDERS`. arguments: of the contender, plain JSON values.

    Attributes:
        about: what the contender says of itself.
        peak_memory_mb: the most memory that its process has held, in MB.

    Raises:
        OddframeError: what the contender found wrong. ContenderLostError: see there.
    """

    def __init__(self, kind: str, **arguments: Any) -> None:
        # A file, no pipe: nobody reads what libraries say until something has gone wrong.
        self._place = tempfile.TemporaryDirectory(prefix="oddframe-bench-", ignore_cleanup_errors=True)
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen(
            # -P: the folder in which the user happens to be is no place for modules
            [sys.executable, "-P", "-m", "oddframe.benchmarking.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            # What it leaves where it is killed is cleared away, too.
            env=os.environ | {"TMPDIR": self._place.name},
        )
        self.peak_memory_mb = 0.0
        try:
            self.about = self._ask({"kind": kind, "arguments": arguments})
        except BaseException:
            self.close()
            raise

    def turn(self) -> dict[str, float]:
        """Let it measure once: name → figure."""
        return self._ask({})

    def close(self) -> None:
        """End it; it is given a moment to clear its files away."""
        try:
            self._child.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
        finally:
            self._said.close()
            self._place.cleanup()

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        requests, answers = self._child.stdin, self._child.stdout
        assert requests is not None
        assert answers is not None
        try:
            requests.write(json.dumps(request) + "\n")
            requests.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ContenderLostError(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise OddframeError(answer["error"])
        self.peak_memory_mb = answer["peak_memory_mb"]
        return dict(answer["found"])

    def _last_words(self) -> str:
        code = self._child.wait()
        return last_words(self._said) or f"its process ended with {code}"


def _serve(requests: IO[str], answers: IO[str]) -> None:
    """Make the contender that is asked for, and let it take its turns until nobody asks any more."""

    def answer(content: Mapping[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    first = json.loads(requests.readline())
    try:
        with CONTENDERS[first["kind"]](**first["arguments"]) as contender:
            answer({"found": contender.about, "peak_memory_mb": peak_memory_mb()})
            for _ in requests:
                figures = contender.turn()
                answer({"found": figures, "peak_memory_mb": peak_memory_mb()})
    except OddframeError as error:
        answer({"error": str(error)})


if __name__ == "__main__":
    # What a library prints must not be taken for an answer.
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _serve(sys.stdin, own)

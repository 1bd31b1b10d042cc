"""The detector that comes with the package, for `oddframe demo --instant`: made from a run of `oddframe demo`.

    make demo
    .venv/bin/python experiments/instant_model.py demo/run

It is refused where it finds not all that is labelled in the drawn video, or is larger than 3 MB.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from oddframe import instant
from oddframe.exporting.make import export

MOST_BYTES = 3_000_000


def main() -> None:
    shutil.rmtree(instant.MODEL, ignore_errors=True)
    export(Path(sys.argv[1]), instant.MODEL)
    taken = sum(path.stat().st_size for path in instant.MODEL.iterdir())
    with tempfile.TemporaryDirectory() as place:
        made = instant.instant(place)
    missed = [one for one in made.labelled if not any(e.start < one[1] and one[0] < e.end for e in made.scores.events)]
    if missed or taken > MOST_BYTES:
        sys.exit(f"not fit to be shown: missed {missed}, {taken} bytes")
    print(f"{instant.MODEL}: {taken / 1e6:.1f} MB, finds {made.labelled}")


if __name__ == "__main__":
    main()

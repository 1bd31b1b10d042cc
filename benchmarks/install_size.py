"""What an installation of an extra takes on disk, package by package.

    python benchmarks/install_size.py runtime --json benchmarks/results/install_size.json

It is installed anew, from the package index, into a folder that is thrown away, with the versions of constraints.txt.
Counted is what pip has written, compiled Python included, and nothing of pip itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

from oddframe.runs import host

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Install, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", nargs="?", default="runtime")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        wanted = ["-c", str(ROOT / "constraints.txt"), f"{ROOT}[{given.extra}]"]
        subprocess.run([*pip, "--target", folder, *wanted], check=True)
        sizes = {one.name: size(one) for one in distributions(path=[folder])}
    sizes = dict(sorted(sizes.items(), key=lambda item: -item[1]))
    total = sum(sizes.values())
    for name, bytes_ in sizes.items():
        if bytes_ >= 2**20:
            print(f"{name:28} {bytes_ / 2**20:6.1f} MiB")
    print(f"{'all ' + str(len(sizes)) + ' packages':28} {total / 2**20:6.1f} MiB")
    if given.json is not None:
        parts = {name: bytes_ / 2**20 for name, bytes_ in sizes.items()}
        figures = {"extra": given.extra, "total_mib": total / 2**20, "packages_mib": parts}
        given.json.write_text(json.dumps(figures | {"host": host().to_dict()}, indent=1) + "\n", "utf-8")


def size(package: Distribution) -> int:
    """Bytes of the files that a package has on disk."""
    paths = (Path(str(file.locate())) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    main()

"""Pages that are made from JSON files: written, or checked to be fresh; and their tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def write_or_check(about: str | None, pages: Mapping[str, str]) -> None:
    """Write pages below docs/, or with --check only say which are not fresh (exit code 1 if any is not)."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        stale = [name for name, text in pages.items() if not _is(DOCS / name, text)]
        if stale:
            sys.exit(f"not fresh: {', '.join(f'docs/{name}' for name in stale)}. Run: python {sys.argv[0]}")
        return
    for name, text in pages.items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")


def _is(page: Path, text: str) -> bool:
    return page.exists() and page.read_text("utf-8") == text


def table(rows: list[list[str]]) -> str:
    """Markdown; the first row is the head."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def with_interval(figure: Mapping[str, Any]) -> str:
    """AUC micro in per cent, with its 95 % interval where it has one."""
    micro, interval = figure["micro"], figure["interval"]
    if interval is None:
        return f"{100 * micro:.1f}"
    return f"{100 * micro:.1f} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"

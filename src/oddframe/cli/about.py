"""Verbs that look around: models, doctor."""

from __future__ import annotations

from oddframe.cli import options
from oddframe.cli.screen import print_json, print_table, say


def models(json: options.Json = False) -> None:
    """List the detectors, with how many parameters each has in every preset.

    \b
    Examples:
      oddframe models
      oddframe models --json
    """
    from oddframe.models.catalogue import catalogue

    detectors = catalogue()
    if json:
        print_json({"detectors": [detector.to_dict() for detector in detectors]})
        return
    for detector in detectors:
        say(f"{detector.name}: {detector.summary}")
        print_table(
            ("  preset", "picture", "parameters in training", "at inference"),
            [
                (
                    f"  {preset}",
                    "x".join(str(side) for side in reversed(figures.size or "-")),
                    _count(figures.training),
                    _count(figures.inference),
                )
                for preset, figures in detector.presets.items()
            ],
        )
        for problem in dict.fromkeys(one.problem for one in detector.presets.values() if one.problem is not None):
            say(f"  {problem}")
        say()
    say("Settings and their defaults: oddframe models --json, or docs/reference/settings.md")


def doctor(json: options.Json = False) -> None:
    """Say what is installed, what this machine can do, and what to type where something is missing.

    \b
    Example:
      oddframe doctor
    """
    from oddframe.doctor import examine, in_words

    found = examine()
    if json:
        print_json(found.to_dict())
    else:
        say(in_words(found))


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"

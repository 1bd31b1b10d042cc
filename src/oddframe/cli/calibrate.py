"""The verb that changes one's mind about alarms without a training."""

from __future__ import annotations

from oddframe.cli import options
from oddframe.cli.screen import print_json, say
from oddframe.cli.work import RunFolder


def calibrate(run: RunFolder, overrides: options.Overrides = None, json: options.Json = False) -> None:
    """Calibrate a finished run again with other settings of score: rate of false alarms, smoothing, components, events.

    It takes seconds, and needs neither the videos nor a graphics card: the run keeps what its detector found on the
    video that was held out. What was changed and when is kept in RUN/calibrations.jsonl.

    \b
    Examples:
      oddframe calibrate runs/gate --set score.false_alarms_per_hour=0.1
      oddframe calibrate runs/gate --set score.smoothing=9 --set score.cool_down_s=30
    """
    from oddframe.reporting.words import line_in_words
    from oddframe.scoring.recalibrate import calibrate

    made = calibrate(run, overrides=overrides or ())
    if json:
        print_json(made.to_dict())
        return
    for name, (before, after) in made.changed.items():
        say(f"{name}: {before} before, {after} now")
    if not made.changed:
        say("No setting was changed: the same calibration was made again.")
    say(line_in_words(made.after))
    if made.before is not None:
        say(f"Before, they began at {made.before.on:.2f}.")
    for note in made.notes:
        say(f"note: {note}")
    stale = sorted(one.name for one in run.glob("eval-*.json"))
    if stale:
        say(f"{' and '.join(stale)} was made before that. Next: oddframe eval {run}")
    else:
        say(f"Next: oddframe score VIDEO --run {run}")

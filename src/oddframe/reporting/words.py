"""What the figures of a report mean, in words that need no paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.data.source import source_in
from oddframe.detectors import DetectorSettings, detectors
from oddframe.detectors.settings import Compared
from oddframe.evaluation.making import FusionInfo
from oddframe.evaluation.result import Result, percent
from oddframe.scoring.calibration import LEARNED_IS_ONLINE
from oddframe.scoring.scores import COMPONENTS, AlarmLine
from oddframe.settings import given_online

if TYPE_CHECKING:
    from oddframe.evaluation.compare import Difference
    from oddframe.reporting.detection import WorkingPoint

FUSIONS_IN_WORDS = {
    "online": "How rare the frame is beside normal video, judged from the past alone. 2 means: one normal frame in a "
    "hundred is as odd.",
    "paper": "The score of the paper (Eq. 12). It scales each video between its own lowest and highest value, so it "
    "can be given only after the video has ended.",
    "learned": "As online, with weights fitted on known anomalies that the network has not seen.",
}

_COMPONENTS = {
    "local_distance": "As distance, for the oddest few places of the picture alone.",
    "motion": "How much the liveliest few small windows change between two frames. No network: a floor that every "
    "detector has to clear.",
    "flow": "How fast the fastest small window moves (optical flow). No network, nothing learned: a floor, too.",
    "direction": "How unusual it is that something moves there, that way and that fast (optical flow). No network.",
}

FLOORS = {"motion": "frame differences alone", "flow": "optical flow alone"}
"""Components without a network, in words."""

_ERRORS: dict[Compared | None, dict[str, str]] = {
    "prediction": {
        "psnr": "How well the whole frame was predicted, in decibels.",
        "local_error": "How badly the worst few small windows were predicted.",
    },
    "reconstruction": {
        "psnr": "How well the whole frame was reconstructed, in decibels.",
        "local_error": "How badly the worst few small windows were reconstructed.",
    },
    "frame before": {
        "psnr": "How much the whole picture differs from the frame before, in decibels.",
        "local_error": "How much the worst few small windows differ from the frame before.",
    },
    None: {
        "psnr": "How much the whole picture differs from what it was compared with, in decibels.",
        "local_error": "How much the worst few small windows differ from what they were compared with.",
    },
}

_COMPARED: dict[Compared | None, str] = {
    "prediction": "what was predicted",
    "reconstruction": "what was reconstructed",
    "frame before": "the frame before",
    None: "what it was compared with",
}


def explained(name: str, result: Result) -> str:
    """One line on a fusion or component of a result; "" for a name that is neither."""
    if name == "learned" and any(LEARNED_IS_ONLINE in note for note in result.notes):
        return _why_learned_is_online(result)
    model = _model(result)
    known = FUSIONS_IN_WORDS | _COMPONENTS | _ERRORS[None if model is None else model.compared]
    if model is not None:
        known["distance"] = f"Averaged over the picture: {model.distance_is}."
    line = known.get(name, "")
    return f"{line} {what_online_adds(result)}".rstrip() if name == "online" else line


def what_online_adds(result: Result) -> str:
    """Which of the detector's components count in `online`, in a sentence; "" for a result that does not say."""
    wanted = result.setting("score.online")
    given = [name for name in COMPONENTS if name in result.auc]
    if not isinstance(wanted, list | tuple) or not wanted or not given:
        return ""
    added = given_online(wanted, given)
    words, apart = f"Here it is made of {listed(added)}", [name for name in given if name not in added]
    return f"{words}; {listed(apart)} {'does' if len(apart) == 1 else 'do'} not count." if apart else f"{words}."


def fusion_in_words(made: FusionInfo) -> str:
    """What a fusion joins, and how: "0.9 psnr + 0.1 distance, each: min-max over each whole video"."""
    parts = [f"{weight:.3g} {name}" for name, weight in made.weights.items()]
    added = " + ".join(parts) if made.by == "sum" or len(parts) == 1 else f"the highest of {listed(parts)}"
    mean = f"; mean of the last {count(made.smoothing, 'frame')}" if made.smoothing and made.smoothing > 1 else ""
    return f"{added}, each: {made.normalised}{mean}"


def listed(names: Sequence[str]) -> str:
    """Names in a row.

    >>> listed(["psnr"]), listed(["psnr", "distance", "motion"])
    ('psnr', 'psnr, distance and motion')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _why_learned_is_online(result: Result) -> str:
    known = len(result.trained_on.known)
    if not known:
        return "Equals online: there were no known anomalies to fit weights on."
    return (
        "Equals online: weights are fitted on known anomalies that the network has not seen, and it has seen all of "
        f"them ({count(known, 'video')}). data.heldout_known keeps some apart."
    )


def compared_with(result: Result) -> str:
    """What the detector compared each frame with, as a picture of it is called."""
    return _COMPARED[_compared(result)]


def _model(result: Result) -> DetectorSettings | None:
    """The detector's settings of a result, which say what it compares; None for one that is not installed here."""
    entry = detectors().get(result.detector)
    if entry is None:
        return None
    model = result.settings.get("model")
    # The settings may be those of an earlier version: they are read, not judged.
    return entry.settings.model_construct(**(model if isinstance(model, dict) else {}))


def _compared(result: Result) -> Compared | None:
    model = _model(result)
    return None if model is None else model.compared


def data_of(result: Result) -> str:
    """The data. A folder that is just called "data" is named with the one around it."""
    name = result.data.name or "video"
    if name == "data" and result.run and (source := source_in(result.data, Path(result.run))) is not None:
        name = "/".join(source.paths[0].parts[-2:])
    return name


def title_of(result: Result) -> str:
    """Detector and data."""
    return f"{result.detector} on {data_of(result)}"


def summary_of(result: Result) -> str:
    """What the detector is, in a few words; "" for one that is not installed here."""
    entry = detectors().get(result.detector)
    if entry is None:
        return ""
    without = _compared(result) == "frame before" != entry.settings().compared
    return f"{entry.summary}; here without its decoder, so that no frame is predicted" if without else entry.summary


def count(number: int, one: str, several: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "video"), count(1200, "frame")
    ('1 video', '1,200 frames')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def duration(seconds: float) -> str:
    """A length of time as one would say it.

    >>> duration(4.8), duration(75), duration(7300)
    ('4.8 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60} h {minutes % 60} min"


def sentence(note: str) -> str:
    """A note as a page has it: with a capital letter, and with a full stop where it has no end of its own.

    >>> sentence("the line is above all of it. That takes 1 h"), sentence("Is it cut off?")
    ('The line is above all of it. That takes 1 h.', 'Is it cut off?')
    """
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith(('.', '?', '!', ':')) else '.'}"


def clock(seconds: float | None) -> str:
    """A moment in a video; "" where times are unknown.

    >>> clock(64.84), clock(3725.0)
    ('1:04.8', '1:02:05.0')
    """
    if seconds is None:
        return ""
    tenths = round(seconds * 10)
    hours, minutes = tenths // 36000, tenths // 600 % 60
    rest = f"{tenths % 600 / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def shown_score(score: float) -> str:
    """A score as people see it: never below 0, which is as ordinary as can be.

    >>> shown_score(2.345), shown_score(-0.01)
    ('2.35', '0.00')
    """
    return f"{max(score, 0.0):.2f}"


def how_trained(result: Result) -> str:
    """What the detector has seen, in a sentence."""
    normal, known = len(result.trained_on.normal), len(result.trained_on.known)
    if not result.parameters:
        return "It has nothing to train."
    took = f" in {duration(result.seconds_training)}" if result.seconds_training else ""
    seen = f"Trained{took} on {count(normal, 'normal video')}"
    if known:
        seen += f" and {count(known, 'video')} with known anomalies"
    rate = result.setting("data.rate")
    if result.protocol == "rate" and isinstance(rate, float):
        seen += f", {100 * rate:g} % of its clips abnormal"
    fold = f" (fold {result.fold} of {result.folds}, counted from 0)" if result.fold is not None else ""
    return f"{seen}{fold}."


def given(result: Result) -> str:
    """What a run was trained and calibrated on, in a few words."""
    normal, known = len(result.trained_on.normal), len(result.trained_on.known)
    return count(normal, "normal video") + (f", {known} with known anomalies" if known else "")


def split_of(result: Result) -> str:
    """The protocol, and which fold of it."""
    fold = "" if result.fold is None else f", fold {result.fold} of {result.folds}"
    return result.protocol + fold


def what_judged(result: Result) -> str:
    """What it was judged on, in a sentence."""
    frames, truth = result.frames, result.data.ground_truth
    return (
        f"Judged on {count(frames.judged, 'frame')} of {count(frames.videos, 'test video')}, of which "
        f"{percent(frames.abnormal / frames.judged)} % are labelled abnormal"
        f"{f' (ground truth: {truth})' if truth else ''}."
    )


def headline(result: Result) -> str:
    """The product's figure, and what it means."""
    online = result.auc["online"]
    if online.micro is None:
        return "The test has frames of one kind only, so that detection cannot be judged."
    words = f"Of a normal and an abnormal frame drawn at random, the abnormal one scores higher {percent(online.micro)}"
    words += " times in a hundred."
    if online.interval is not None:
        low, high = online.interval
        words += f" With other test videos of this sort, expect {percent(low)} to {percent(high)} (95 % interval)."
    return words


def macro(result: Result) -> str:
    """Of which videos the macro AUC is the mean; "" where it is of all of them, or of none."""
    without, videos = len(result.undefined_videos.macro), result.frames.videos
    if not without:
        return ""
    judged = f"of {videos - without} of {count(videos, 'test video')}"
    return f"Macro AUC is the mean {judged}: in the others all frames are of one kind, so that they have no AUC."


def against_floor(result: Result) -> str:
    """Whether the detector is worth its cost beside the better floor that is known; "" where that cannot be said."""
    name, floor = best_floor(result)
    online = result.auc["online"].micro
    if floor is None or online is None or result.detector in ("framediff", "flow"):
        return ""
    points, words = 100 * (online - floor), FLOORS[name]
    if points > 0:
        return f"{points:.1f} points above what {words} reaches, without any network."
    return f"{-points:.1f} points below what {words} reaches: on these videos the network is not worth its cost."


def best_floor(result: Result) -> tuple[str, float | None]:
    """The component without a network that finds most, and its AUC; of a result that knows none, None."""
    known = {name: micro for name in FLOORS if name in result.auc and (micro := result.auc[name].micro) is not None}
    best = max(known, key=known.__getitem__, default="motion")
    return best, known.get(best)


def point_in_words(point: WorkingPoint) -> str:
    """What a line finds, and what it costs."""
    words = f"{percent(point.found)} % of the abnormal frames lie above it, and {percent(point.false)} % of the normal"
    if point.precision is None:
        return words + " ones."
    return words + f" ones; of all frames above it, {percent(point.precision)} % are abnormal."


def difference_in_words(first: str, second: str, difference: Difference) -> str:
    """Whether the second run's online AUC is better than the first's, and how sure that is."""
    points, interval = 100 * difference["difference"], difference["interval"]
    if not points:
        return f"{second} and {first} reach the same."
    words = f"{second} is {abs(points):.1f} points {'better' if points > 0 else 'worse'} than {first}"
    if interval is None:
        return words + "; so few videos do not say how sure that is."
    words += f" (95 % interval {100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"
    if interval[0] <= 0 <= interval[1]:
        return words + ": with other videos of this sort, either may be the better one."
    return words + ": more than the luck of the draw of videos."


def line_in_words(line: AlarmLine) -> str:
    """What the alarm line promises."""
    if line.per_hour is None:
        return f"Alarms begin at a score of {line.on:.2f}. The rate of false alarms is not known, since times are not."
    rate = f"{line.per_hour:.0f}" if line.per_hour >= 10 else f"{line.per_hour:.2g}"
    if line.per_hour > line.asked_per_hour:  # too little normal video was kept apart to vouch for the rate asked for
        return (
            f"Alarms begin at a score of {line.on:.2f}, above all normal video that was kept apart. It is so short "
            f"that it vouches only for fewer than {rate} false alarms an hour."
        )
    return (
        f"Alarms begin at a score of {line.on:.2f}: on normal video that was kept apart, this gave {rate} false alarms "
        "an hour."
    )

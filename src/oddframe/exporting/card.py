"""What a reader must know of an artefact, as its README.md."""

from __future__ import annotations

from oddframe.artefact import Artefact, ParityInfo, map_output
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.fusion import Fusion

_MEANING = {
    "psnr": "(B,) dB, Eq. 10; lower is odder",
    "distance": "(B,) mean distance of all places, Eq. 11; distance: {distance_is}",
    "local_error": "(B,) mean squared error of the oddest squares, pictures in [0, 1]",
    "local_distance": "(B,) mean distance of the oddest places",
}


def card(artefact: Artefact, calibration: Calibration, parity: ParityInfo) -> str:
    """The model card, as Markdown."""
    about, settings = artefact.about, artefact.settings
    height, width = about.size
    frames = about.before + 1 + about.after
    told = [
        f"# {settings.detector}, {about.precision}",
        "",
        "Finds what is out of the ordinary in video from a fixed camera. Made by `oddframe export`; scored by",
        "`oddframe score VIDEO --run FOLDER`, which needs neither torch nor the training data.",
        "",
        "## In and out",
        "",
        f"`{about.graph}` takes `clips`, (B, {frames}, {height}, {width}, {about.channels}) uint8: {frames} frames of",
        f"a video in order, {'grey' if about.channels == 1 else 'RGB'}, resized to {height}x{width} (height x width,",
        f"`{settings.data.resize}`). Frame {about.before}, counted from 0, is judged. Any number B of clips at once.",
        "",
        "| output | |",
        "| --- | --- |",
        *(f"| `{name}` | {_MEANING[name].format(distance_is=settings.model.distance_is)} |" for name in about.values),
        *(f"| `{map_output(name)}` | (B, h, w), the same at each place |" for name in about.maps),
        "| `error` | (B, H, W) squared error of each pixel |",
        "| `predicted` | (B, H, W, C) uint8, what the judged frame was compared with |",
        "",
        "## Scores and alarms",
        "",
        f"{_joined(calibration.pooled.fused.online)}, each as the rarity of its value on normal",
        f"video that was not trained on. Alarms begin at {calibration.line.on:.3g} and end below "
        f"{calibration.line.off:.3g}.",
        *([f"{calibration.line.note}."] if calibration.line.note else []),
        "",
        "## How close to its run",
        "",
        *_compared(parity),
        "",
        "## Where it comes from",
        "",
        *_origin(artefact),
        "",
        "It knows one view, in the light and at the hours that it was trained on. What it calls odd is rare there, not",
        "wrong or dangerous; a person looks before anything is done about it.",
    ]
    return "\n".join(told) + "\n"


def _joined(online: Fusion) -> str:
    names = ", ".join(online.weights)
    return f"Scores add {names}" if online.by == "sum" else f"A score is the highest of {names}"


def _compared(parity: ParityInfo) -> list[str]:
    lines = ["| | frames | largest relative difference of a component | alarmed frames, run and artefact | differing |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for precision, one in parity.compared.items():
        alarmed = f"{one.alarmed_by_run} and {one.alarmed_by_artefact}"
        lines.append(f"| {precision} | {one.frames} | {one.largest:.1e} | {alarmed} | {one.differing} |")
    if parity.made:
        why = f" ({parity.why_made.rstrip('.')})" if parity.why_made else ""
        lines += ["", f"Compared on made pictures, on which alarms mean nothing: no video was at hand{why}."]
    if (auc := parity.auc) is not None:
        lines += ["", f"AUC on {auc.videos} labelled videos: {_percent(auc.run)} by the run, "
                      f"{_percent(auc.artefact)} by the artefact."]  # fmt: skip
    return lines


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.2f} %"


def _origin(artefact: Artefact) -> list[str]:
    run = artefact.info
    data, split = run.data, run.split
    normal, known = len({section.video for section in split.normal}), len(split.known)
    seen = (
        f"trained on {normal} normal videos and {known} with known anomalies" if run.parameters else "nothing to train"
    )
    return [
        f"- data: {data.name or 'unknown'} ({data.kind or 'unknown'}), fingerprint {data.fingerprint}",
        f"- {seen}, protocol {split.protocol}",
        f"- command: `{run.command}`",
        f"- versions: {', '.join(f'{name} {have}' for name, have in artefact.about.versions.items())}",
        *(f"- note: {note}" for note in run.notes),
    ]

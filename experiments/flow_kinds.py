"""What is found by how fast things move, by which way they do, and by both: alarms by kind, without a network.

    python experiments/flow_kinds.py DATA --name NAME [--scenes gate avenue] [--videos 4] [--heldout 0.25]

Held-out normal video draws the lines. Test videos are gone through once; what is raised by `flow`, by `direction`
and by the two together is judged apart. DATA is a set with labels, as `oddframe data synth` draws one (with or without
`--scale day --which develop`). `--videos` takes the first so many test videos of each scene.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import oddframe as odd
from oddframe.bars import watching
from oddframe.settings_layers import load_settings
from ways import figures, judged_ways, parser_of_part, part_of

RESULTS = Path(__file__).parent / "results" / "flow-kinds"
WAYS = {
    name: [f"score.online=[{names}]"]
    for name, names in (("flow", "flow"), ("direction", "direction"), ("both", "flow,direction"))
}
SETTINGS = (
    "model.size=[160,240]",
    "score.online=[flow,direction]",
    "data.known=leave-out",
    "score.place_normal=spread",
)


def main() -> None:
    """Train nothing, calibrate, judge, print recall, and leave one JSON: way → event figures."""
    parser = parser_of_part(__doc__)
    parser.add_argument("--heldout", type=float, default=0.5, help="share of normal video that draws the lines")
    given = parser.parse_args()
    videos = part_of(odd.open_videoset(given.data), given.scenes, given.videos)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings("cpu", detector="flow", overrides=[*SETTINGS, f"data.heldout={given.heldout}"])
        with watching() as watch:
            run = odd.train(videos, out=Path(folder) / "run", settings=settings, watch=watch)
        found = {way: figures(result) for way, result in judged_ways(run, videos.test, WAYS).items()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    test = [one.name for one in videos.test]
    about = {"data": videos.name, "heldout": given.heldout, "videos": test, "ways": found}
    (RESULTS / f"{given.name}.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    for way, one in found.items():
        print(way, f"AUC {100 * one['auc']:.1f}", {rate: at["recall"] for rate, at in one["at"].items()})


if __name__ == "__main__":
    main()

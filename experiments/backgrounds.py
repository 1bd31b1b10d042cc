"""How alike the still backgrounds of videos of one camera are, and of two: what `scoring/backgrounds.py` draws its line
from.

    python experiments/backgrounds.py ../shared/data demo/data

The first folder holds `ped2`, `avenue_videos` and `clips`, the second is the demo's set (`oddframe data synth`).
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from oddframe.scoring.backgrounds import Background, Still, alike
from oddframe.video.open import open_video


def videos(data: Path, demo: Path) -> dict[str, list[Path]]:
    """Camera → its videos."""
    found = {"ped2": sorted(data.glob("ped2/*/frames/*")), "avenue": sorted(data.glob("avenue_videos/*.avi"))}
    found |= {clip.stem: [clip] for clip in sorted(data.glob("clips/*.mp4"))}
    for video in sorted(demo.glob("*/*/*.mp4")):
        found.setdefault(f"demo {video.parent.name}", []).append(video)
    return found


def background(video: Path, only: int | None = None) -> Background:
    """Of a whole video, or of one frame of it."""
    still = Still()
    for frame in open_video(video).frames():
        if only is None or frame.index == only:
            still.take(frame.pixels)
    picture = still.picture()
    assert picture is not None
    return picture


def main() -> None:
    of_camera = videos(Path(sys.argv[1]), Path(sys.argv[2]))
    listed = [(camera, video) for camera, group in of_camera.items() for video in group]
    whole = {video: background(video) for _, video in listed}
    single = {video: background(video, open_video(video).frame_count // 2) for _, video in listed}
    print(f"{len(listed)} videos of {len(of_camera)} cameras")
    for name, seconds in (("two videos", whole), ("a video and one frame of another", single)):
        same, other = [], []
        for (camera, one), (second, two) in itertools.combinations(listed, 2):
            value = alike(whole[one], seconds[two])
            (same if camera == second else other).append(value or 0.0)
        print(f"{name}: one camera at least {min(same):.2f}, two cameras at most {max(other):.2f}")


if __name__ == "__main__":
    main()

"""Judge a run: open what it names, score its test videos, and leave the result in its folder.

This needs the detector; `judge`, which makes figures of scores and labels, does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.errors import RunError, TooShortError
from oddframe.evaluation import testset
from oddframe.evaluation.judge import judge
from oddframe.evaluation.making import Judging, apart_of, fusions_of
from oddframe.evaluation.places import PlaceJudge
from oddframe.evaluation.pointing import Pointing
from oddframe.evaluation.regions import Map
from oddframe.evaluation.result import Result, file_name_of
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.alarms import AlarmRule

if TYPE_CHECKING:
    from oddframe.artefact import Trained
    from oddframe.data.open import Data
    from oddframe.data.videoset import LabelledVideo
    from oddframe.scoring.scorer import Scorer


def evaluate(
    run: Trained | Path | str,
    data: Data | None = None,
    *,
    places: bool | None = None,
    device: str = "auto",
    backend: str = "auto",
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Result:
    """Score every test video of a run's split, judge the scores, and write the result into the run's folder.

    A result with another seed, on other data, or by a backend that scores a little otherwise has a file of its own
    (`Result.file_name`), so that it never takes the place of the run's main result.

    Args:
        run: a trained run or an artefact of it, or its folder.
        data: by default the data of the training, opened as they were then; a path, where they are elsewhere, or what
            to judge with a run of plain video files; a `DataSource` or an open set, where other things are said of it.
        places: judge, too, whether the odd places are found (RBDC, TBDC, AUC over pixels). This needs masks. By
            default, where the result whose place this one takes says so, too: figures once asked for stay.
        device: "auto" | "cpu" | "cuda" | "cuda:1". backend: what computes the scores, as of `Scorer`.
        seed: of the draws of videos behind each interval.
        watch: told after each video.

    Raises:
        MissingPathError: the data, or a test video of the split, are not there.
        NothingToJudgeError: no test video has labels. SettingsError: the run was trained on what is to be judged.
        RunError: no finished run. StorageError: its folder cannot be written.
    """
    from oddframe.artefact import open_trained
    from oddframe.runs import command_line, host, versions
    from oddframe.scoring.scorer import Scorer

    opened = open_trained(run)
    videos = testset.open_judged(opened, data)
    notes = testset.data_notes(opened, videos)
    test = testset.labelled_test(opened, videos)
    scorer = Scorer(opened, device=device, backend=backend, flow=True)  # the floor
    origin = testset.provenance(opened, videos)
    apart = apart_of(opened, scorer.runtime.name, seed, testset.other_data(opened, videos))
    if places is None:
        places = _has_places(opened.folder / file_name_of(origin["protocol"], origin["data"].ground_truth, apart))
    place_judge = PlaceJudge(sum(video.video.frame_count for video in test)) if places else None
    judged, unjudged = _score(scorer, test, place_judge, watch)
    promised, undrawn = testset.promised_lines(opened)
    result = judge(
        judged,
        known_kinds=testset.known_kinds(opened, videos),
        heldout=scorer.calibration.heldout,
        rule=AlarmRule.of(opened.settings.score),
        promised=promised,
        seed=seed,
    )
    fused = scorer.calibration.pooled.fused
    judging = Judging(
        backend=scorer.runtime.name,
        device=device,
        seed=seed,
        command=command_line(),
        versions=versions(),
        host=host(),
        apart=apart,
    )
    fusions = fusions_of(fused, opened.settings, list(result.auc))
    found, unplaced = place_judge.finish() if place_judge is not None else (None, [])
    told = [*notes, *unjudged, *unplaced, *undrawn, *opened.info.notes, *videos.notes, *result.notes]
    result = result.changed(**origin, judging=judging, fusions=fusions, places=found, notes=tuple(dict.fromkeys(told)))
    result.save(opened.folder)
    return result


def _has_places(stored: Path) -> bool:
    """Whether there is a result that says whether odd places are found. One that cannot be read says nothing."""
    try:
        return stored.is_file() and Result.load(stored).places is not None
    except RunError:
        return False


def _score(
    scorer: Scorer, test: Sequence[LabelledVideo], places: PlaceJudge | None, watch: Watcher
) -> tuple[list[JudgedVideo], list[str]]:
    judged, notes = [], []
    before, frames = 0, sum(video.video.frame_count for video in test)
    for video in test:

        def within(moment: Progress, before: int = before, name: str = video.name) -> None:
            if moment.stage.startswith("scoring"):
                watch(Progress("judging", before + moment.done, frames, name))

        watch(Progress("judging", before, frames, video.name))
        before += video.video.frame_count
        if places is not None:
            places.begin(video)
        pointing = Pointing(video)

        def take(frame: int, maps: Mapping[str, Map], pointing: Pointing = pointing) -> None:
            pointing.take(frame, maps)
            if places is not None:
                places.take(frame, maps)

        try:
            wanted = take if places is not None or pointing.wanted else None
            scores = scorer.score(video.video, video.scene, within, maps=wanted)
        except TooShortError:
            notes.append(f"'{video.name}' has too few frames to be judged and is left out.")
            continue
        scores = replace(scores, video=video.name)  # two scenes may each have a video of the same file name
        assert video.labels is not None
        first = video.video.first_index
        kinds = tuple(Span(span.start + first, span.end + first, span.class_name) for span in video.classes)
        notes += pointing.notes()
        judged.append(
            JudgedVideo(
                video.name,
                video.scene,
                scores,
                video.labels[scores.frame - first],
                kinds,
                video.conditions,
                pointing.of(scores.frame),
            )
        )
    watch(Progress("judging", frames, frames))
    return judged, notes

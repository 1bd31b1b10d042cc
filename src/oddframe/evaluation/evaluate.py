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
from oddframe.evaluation.so_far import JudgedSoFar
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

    Who is interrupted loses at most the video that was being scored: the same call goes on behind it. With `places`
    there is one pass over all videos, which begins anew.

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
    from oddframe.artefact import fingerprint, open_trained
    from oddframe.runs import command_line, host, versions
    from oddframe.scoring.scorer import Scorer

    opened = open_trained(run)
    videos = testset.open_judged(opened, data)
    notes = testset.data_notes(opened, videos)
    test = testset.labelled_test(opened, videos)
    scorer = Scorer(opened, device=device, backend=backend, flow=True)  # the floor
    origin = testset.provenance(opened, videos)
    apart = apart_of(opened, scorer.runtime.name, seed, testset.other_data(opened, videos))
    path = opened.folder / file_name_of(origin["protocol"], origin["data"].ground_truth, apart)
    if places is None:
        places = _has_places(path)
    place_judge = PlaceJudge(sum(video.video.frame_count for video in test)) if places else None
    made_of = {"run": fingerprint(opened), "data": videos.fingerprint(), "backend": scorer.runtime.name}
    so_far = JudgedSoFar(path, made_of)
    try:
        judged, unjudged = _score(scorer, test, place_judge, None if places else so_far, watch)
    except KeyboardInterrupt:
        if places:
            raise KeyboardInterrupt("places are judged in one pass, which begins anew") from None
        raise
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
    so_far.clear()
    return result


def _has_places(stored: Path) -> bool:
    """Whether there is a result that says whether odd places are found. One that cannot be read says nothing."""
    try:
        return stored.is_file() and Result.load(stored).places is not None
    except RunError:
        return False


def _score(
    scorer: Scorer,
    test: Sequence[LabelledVideo],
    places: PlaceJudge | None,
    so_far: JudgedSoFar | None,
    watch: Watcher,
) -> tuple[list[JudgedVideo], list[str]]:
    judged, notes = [], []
    before, frames = 0, sum(video.video.frame_count for video in test)
    known = {} if so_far is None else {number: so_far.of(number, video) for number, video in enumerate(test)}
    if many := sum(one is not None for one in known.values()):
        note = f"judging goes on: {many} of {len(test)} videos were judged before it was interrupted"
        watch(Progress("finished", many, len(test), note))
    for number, video in enumerate(test):
        watch(Progress("judging", before, frames, video.name))
        one = known.get(number)
        if one is None:
            one, noted = _judged(scorer, video, places, _part(watch, before, frames, video.name))
            notes += noted
            if one is not None and so_far is not None and not noted:
                so_far.keep(number, one)
        if one is not None:
            judged.append(replace(one, conditions=video.conditions))
        before += video.video.frame_count
    watch(Progress("judging", frames, frames))
    return judged, notes


def _part(watch: Watcher, before: int, frames: int, name: str) -> Watcher:
    """What watches the scoring of one video among all frames."""

    def within(moment: Progress) -> None:
        if moment.stage.startswith("scoring"):
            watch(Progress("judging", before + moment.done, frames, name))

    return within


def _judged(
    scorer: Scorer, video: LabelledVideo, places: PlaceJudge | None, watch: Watcher
) -> tuple[JudgedVideo | None, list[str]]:
    """The scores of a test video beside its labels, None of one that is too short; and what a reader must know."""
    if places is not None:
        places.begin(video)
    pointing = Pointing(video)

    def take(frame: int, maps: Mapping[str, Map]) -> None:
        pointing.take(frame, maps)
        if places is not None:
            places.take(frame, maps)

    try:
        wanted = take if places is not None or pointing.wanted else None
        scores = scorer.score(video.video, video.scene, watch, maps=wanted)
    except TooShortError:
        return None, [f"'{video.name}' has too few frames to be judged and is left out."]
    scores = replace(scores, video=video.name)  # two scenes may each have a video of the same file name
    assert video.labels is not None
    first = video.video.first_index
    kinds = tuple(Span(span.start + first, span.end + first, span.class_name) for span in video.classes)
    labels, in_place = video.labels[scores.frame - first], pointing.of(scores.frame)
    one = JudgedVideo(video.name, video.scene, scores, labels, kinds, video.conditions, in_place)
    return one, pointing.notes()

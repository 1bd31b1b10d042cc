"""MNAD. It is compared with DREAM's ablation, which is compared with numbers of MNAD's own code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from oddframe.detectors import detector_entry
from oddframe.detectors.dream import DreamSettings
from oddframe.detectors.peers import MnadSettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.dream import Dream
from oddframe.models.mnad import Mnad, weighted_error
from oddframe.nn.evidence import Evidence
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.runtimes.torch import TorchRuntime
from oddframe.settings import ScoreSettings
from oddframe.video.source import Frame

SIZE = (16, 24)


def small(**settings: object) -> Mnad:
    torch.manual_seed(3)
    return Mnad(MnadSettings.model_validate({"width": 4, "size": SIZE, "channels": 1, "items": 4} | settings))


def clips(seed: int, count: int = 2) -> torch.Tensor:
    return torch.rand(count, 5, 1, *SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_there_are_as_many_parameters_as_published_those_of_a_batch_norm_that_is_never_called_among_them() -> None:
    mnad = detector_entry("mnad").load()(MnadSettings())
    mnad.unused_norm.register_forward_hook(lambda *_: pytest.fail("the unused batch norm was called"))

    assert mnad.parameter_counts() == {"training": 15_651_843, "inference": 15_651_843 - 2 * 512}
    mnad(torch.zeros(1, 5, 3, 32, 32))


def test_it_is_dream_with_one_memory_and_a_compactness_that_is_a_mean_over_channels_too() -> None:
    mnad = small()
    channels = 8 * 4
    settings = DreamSettings(
        size=SIZE,
        channels=1,
        width=4,
        memory="single",
        items=2,  # twice as many in a single memory
        discriminator=False,
        update_weight="max",
        separateness_distance="plain",
        compactness=0.1 / channels,
    )
    dream = Dream(settings)
    own = {name: value for name, value in mnad.state_dict().items() if not name.startswith("unused_norm")}
    named = {
        f"normality.{name}" if name.split(".")[0] in ("head", "memory") else name: value for name, value in own.items()
    }
    dream.load_state_dict(named)
    batch = Batch(Clips(clips(1)))

    (ours,), (theirs,) = mnad.objectives(batch), dream.objectives(batch)
    mnad.after_step([ours.trace])
    dream.after_step([theirs.trace])
    judged, wanted = mnad.eval()(clips(2)), dream.eval()(clips(2))

    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-6)
    assert ours.terms["compactness"].item() == pytest.approx(theirs.terms["normality.compactness"].item() / channels)
    assert torch.equal(mnad.memory.items, dream.get_buffer("normality.memory.items"))
    assert all(torch.equal(one, other) for one, other in zip(judged, wanted, strict=True))


def test_the_memory_is_updated_once_from_the_whole_batch() -> None:
    mnad = small()
    (objective,) = mnad.objectives(Batch(Clips(clips(1))))
    before = mnad.memory.items.clone()
    terms = mnad.memory.update_terms(objective.trace["queries"])

    mnad.after_step([objective.trace])

    assert len(objective.trace["queries"]) == 2
    assert torch.allclose(mnad.memory.items, torch.nn.functional.normalize(before + terms, dim=1))


def test_what_ails_the_memory_names_it_once() -> None:
    mnad = small()
    mnad.memory.items.copy_(mnad.memory.items[:1].expand_as(mnad.memory.items).clone())

    assert mnad.ailments() == ["memory: all 4 items are equal (every cosine above 0.999)"]


def test_the_error_that_decides_on_an_update_lets_large_errors_count_more(oracle_dir: Path) -> None:
    with np.load(oracle_dir / "scoring.npz", allow_pickle=False) as stored:
        pairs = zip(stored["psnr_pred"], stored["psnr_target"], strict=True)
        own = [weighted_error(torch.from_numpy(one)[None], torch.from_numpy(two)[None]) for one, two in pairs]
        wanted = stored["psnr_point_score"].tolist()

    assert own == pytest.approx(wanted, rel=1e-4)


def test_a_perfect_prediction_has_no_weighted_error() -> None:
    assert weighted_error(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)) == 0.0


# The memory that follows a video -----------------------------------------------------------------------------------


def judge(mnad: Mnad, video: torch.Tensor, *, at_once: int = 1) -> Evidence:
    judged = mnad.for_video()
    with torch.inference_mode():
        parts = [judged(part) for part in video.split(at_once)]
    return Evidence(*(torch.cat(part) for part in zip(*parts, strict=True)))


def test_by_default_a_video_is_judged_by_the_detector_itself() -> None:
    mnad = small().eval()
    assert mnad.for_video() is mnad


def test_the_memory_follows_a_video_from_its_second_frame_on_and_nothing_of_it_stays() -> None:
    still, moving = (small(test_update=on, test_update_below=1.0).eval() for on in (False, True))
    video, items = clips(1, count=3), moving.memory.items.clone()

    fixed, followed = judge(still, video), judge(moving, video)

    assert fixed.distance is not None
    assert followed.distance is not None
    assert torch.equal(fixed.distance[0], followed.distance[0])
    assert not torch.allclose(fixed.distance[1], followed.distance[1])
    assert not torch.equal(fixed.error[1], followed.error[1])
    assert torch.equal(moving.memory.items, items)
    again = judge(moving, video)
    assert again.distance is not None
    assert torch.equal(again.distance, followed.distance)


def test_each_frame_is_followed_by_the_published_update() -> None:
    mnad = small(test_update=True, test_update_below=1.0).eval()
    video = clips(1, count=2)
    twin = small().eval()

    followed = judge(mnad, video)

    with torch.no_grad():
        twin.memory.update(twin.queries(video[:1])["normality"])
        assert followed.distance is not None
        assert torch.allclose(followed.distance[1:], twin(video[1:]).distance, atol=1e-6)


def test_a_frame_that_was_predicted_badly_is_not_followed() -> None:
    video = clips(1, count=3)
    followed = judge(small(test_update=True, test_update_below=1e-6).eval(), video)

    assert torch.equal(followed.error, judge(small().eval(), video).error)


def test_it_does_not_matter_how_many_frames_are_judged_at_once() -> None:
    mnad, video = small(test_update=True, test_update_below=1.0).eval(), clips(1, count=5)

    one_by_one, together = judge(mnad, video), judge(mnad, video, at_once=3)

    assert all(torch.equal(one, other) for one, other in zip(one_by_one, together, strict=True))


def components(mnad: Mnad, *, batch: int, videos: int = 1) -> list[dict[str, float]]:
    """What the scoring path makes of a video of eight frames, the last time of several."""
    noise = np.random.default_rng(0).integers(0, 255, (8, *SIZE, 1), np.uint8)
    runtime = TorchRuntime(mnad, ScoreSettings(), torch.device("cpu"))
    stream = EvidenceStream(runtime, resize="area", window=16, stride=8, share=0.03, batch=batch)
    for _ in range(videos):
        judged = [dict(raw.values) for raw in stream.raw(Frame(k, None, picture) for k, picture in enumerate(noise))]
    return judged


def test_the_scoring_path_gives_each_video_a_memory_of_its_own() -> None:
    fixed = components(small(), batch=3)
    followed = components(small(test_update=True, test_update_below=1.0), batch=1)
    later = components(small(test_update=True, test_update_below=1.0), batch=3, videos=2)

    assert followed[0] == pytest.approx(fixed[0])
    assert [one["distance"] for one in followed[1:]] != pytest.approx([one["distance"] for one in fixed[1:]])
    assert all(one == pytest.approx(other, rel=1e-5) for one, other in zip(followed, later, strict=True))

"""Scene-Aware: what it counts, what it paints, and what it learns from which scenes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from oddframe.detectors.moving import SceneAwareSettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.scene_aware import SceneAware

SIZE = (48, 64)


def small(**settings: Any) -> SceneAware:
    torch.manual_seed(3)
    return SceneAware(
        SceneAwareSettings.model_validate({"hidden": 8, "size": SIZE, "objects": 3, "channels": 1} | settings)
    )


def passing(*rows: int) -> Tensor:
    """Two clips of ten frames with a textured square in each of these rows, which goes a pixel a frame to the right."""
    clip = torch.full((2, 10, 1, *SIZE), -0.5)
    texture = torch.rand(10, 10, generator=torch.Generator().manual_seed(1))
    for frame in range(10):
        for row in rows:
            clip[:, frame, 0, row : row + 10, 20 + frame : 30 + frame] = texture
    return clip


def test_it_has_as_many_parameters_as_it_is_made_of() -> None:
    with torch.device("meta"):
        counts = SceneAware(SceneAwareSettings()).parameter_counts()
        of_energy = SceneAware(SceneAwareSettings(score="energy")).parameter_counts()

    assert counts == {"training": 3_930_406, "inference": 3_930_406 - 70_414}
    assert of_energy == {"training": 3_930_406, "inference": 512 * 164 + 512 + 512 * 128 + 128 + 128 * 32 + 32 + 132}


def test_objects_are_painted_where_they_are_and_never_less_than_the_whole_frame() -> None:
    scene_aware = small().eval()
    with torch.no_grad():
        evidence = scene_aware(passing(8))
        seen = scene_aware._described(passing(8))
        frame = 1 - scene_aware.of_node(scene_aware._states(seen)[0])[:, -1].sigmoid().amax(dim=-1)
        evident = scene_aware._painted(seen.objects, torch.tensor([[0.9, 0.8, 0.7, 0.1]] * 2), torch.zeros(2, 3))

    assert evidence.distance.shape == (2, 6, 8)
    torch.testing.assert_close(evidence.distance.amin(dim=(1, 2)), frame)
    there = seen.objects.there[0, :3].bool()
    assert evident[0].max().item() == pytest.approx(max(torch.tensor([0.9, 0.8, 0.7])[there].tolist()))
    assert evident[0, -1].eq(0.1).all()  # nothing moves below


def test_an_odd_relation_makes_both_objects_odd() -> None:
    scene_aware = small().eval()
    objects = scene_aware._described(passing(2, 34)).objects
    odd_edges = torch.tensor([[0.0, 0.0, 0.9]]).expand(2, -1)  # between the second and the third

    painted = scene_aware._painted(objects, torch.zeros(2, 4), odd_edges)

    boxes = objects.boxes[0, -1, 1:3]
    places = ((boxes[:, :2] + boxes[:, 2:]) / 2 * torch.tensor([8.0, 6.0])).long()
    assert [painted[0, row, column].item() for column, row in places.tolist()] == pytest.approx([0.9, 0.9])


def test_a_still_video_has_evidence_by_either_score_and_nothing_is_learned_of_relations_that_there_are_not() -> None:
    still = torch.rand(2, 1, 1, *SIZE, generator=torch.Generator().manual_seed(1)).expand(-1, 10, -1, -1, -1) * 2 - 1

    for score in ("published", "energy"):
        assert small(score=score).eval()(still).distance.isfinite().all()
    scene_aware = small(cluster_steps=0)
    _, reasoning = scene_aware.objectives(Batch(Clips(still)))
    gradients = torch.autograd.grad(
        reasoning.loss, scene_aware.parameter_groups()["reasoning"].parameters, allow_unused=True
    )
    assert all(one is None or one.isfinite().all() for one in gradients)


def test_objects_are_learned_after_the_groups_and_notes_say_so() -> None:
    scene_aware, batch = small(cluster_steps=1), Batch(Clips(passing(2, 34)))
    assert scene_aware.ailments() == []

    first = list(scene_aware.objectives(batch))
    scene_aware.after_step([one.trace for one in first])
    notes = scene_aware.ailments()
    second = list(scene_aware.objectives(batch))

    assert [one.group for one in first] == ["clusters"]
    assert [one.group for one in second] == ["clusters", "reasoning"]
    assert set(second[1].terms) == {"objects", "relations", "sparsity"}
    assert "nothing is learned of objects yet: 1 steps" in notes[0]
    assert "one of 10 has all frames" in notes[1]  # of one scene, shown twice


@pytest.mark.slow
def test_objects_learn_to_be_of_their_own_group_and_of_no_other() -> None:
    scene_aware = small(groups=3)
    seen, label = scene_aware._described(passing(2, 34)), torch.tensor([2, 2])
    parameters = scene_aware._reasoning()
    optimizer = torch.optim.Adam(parameters, 0.01)

    for _ in range(60):
        objective = scene_aware._one_against_the_rest(scene_aware._described(passing(2, 34)), label)
        for one, gradient in zip(parameters, torch.autograd.grad(objective.loss, parameters), strict=True):
            one.grad = gradient
        optimizer.step()

    said = scene_aware.of_node(scene_aware._states(seen)[0]).sigmoid().mean(dim=(0, 1))
    assert said[2] > 0.8
    assert said[:2].max() < 0.2
    assert scene_aware.eval()(passing(2, 34)).distance.max() < 0.3


@pytest.mark.slow
def test_by_energy_a_frame_unlike_those_remembered_is_odder() -> None:
    scene_aware = small(score="energy", groups=2).eval()
    with torch.no_grad():
        for row in range(0, 30, 2):
            scene_aware.seen.add(*scene_aware._grouped(scene_aware._described(passing(row))))
        usual, empty = scene_aware(passing(11)).distance, scene_aware(torch.full((2, 10, 1, *SIZE), 0.9)).distance

    assert usual.shape == (2, 1, 1)
    assert (empty > 2 * usual).all()

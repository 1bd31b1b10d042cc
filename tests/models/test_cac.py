"""CAC as we read its abstract, against a slow second implementation of the same reading."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from oddframe.detectors.moving import CacSettings
from oddframe.models.cac import Cac, view
from oddframe.models.detector import Batch, Clips
from oddframe.nn import ranks
from oddframe.nn.cluster_attention import Attended, ClusterAttention, contrast, moved_centres
from oddframe.nn.residual3d import Residual3D

CLOSE = {"rtol": 0.0, "atol": 1e-10}


def rnd(name: str, *shape: int) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(size=shape))


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, Tensor]:
    with np.load(oracle_dir / "cac_head.npz", allow_pickle=False) as numbers:
        return {name: torch.from_numpy(np.asarray(numbers[name])) for name in numbers.files}


def heads() -> tuple[ClusterAttention, ClusterAttention]:
    """The query's and the key's."""
    query, key = (ClusterAttention(32, 5, 8).double() for _ in range(2))
    weight, bias = (
        rnd("cac.query.projections.weight", 5, 8, 32) / 32**0.5,
        0.1 * rnd("cac.query.projections.bias", 5, 8),
    )
    with torch.no_grad():
        for head, offset in ((query, 0.0), (key, 0.05)):
            head.projections.weight.copy_((weight + offset * rnd("cac.key.offset", 5, 8, 32)).flatten(0, 1))
            head.projections.bias.copy_(bias.flatten())
    return query, key


def test_the_head_and_its_loss_are_those_of_the_second_implementation(stored) -> None:
    query, key = heads()
    centres, queue = F.normalize(rnd("cac.centres", 5, 8), dim=1), F.normalize(rnd("cac/queue", 24, 8), dim=1)
    feature = rnd("cac/features_query", 4, 32).requires_grad_()

    seen = query(feature, centres)
    with torch.no_grad():
        of_key = key(rnd("cac/features_key", 4, 32), centres).representation
    loss = contrast(seen.representation, of_key, queue, 0.07)
    by_feature, by_weight, by_bias = torch.autograd.grad(loss, [feature, *query.parameters()])

    torch.testing.assert_close(seen.projected.detach(), stored["projected"], **CLOSE)
    torch.testing.assert_close(seen.attention.detach(), stored["attention"], **CLOSE)
    torch.testing.assert_close(seen.representation.detach(), stored["representation"], **CLOSE)
    torch.testing.assert_close(of_key, stored["representation_key"], **CLOSE)
    torch.testing.assert_close(2 - 2 * seen.cosine.detach(), stored["distance"], **CLOSE)
    torch.testing.assert_close(1 - seen.cosine.detach().amax(dim=1), stored["score_max"], **CLOSE)
    assert loss.item() == pytest.approx(stored["loss"].item(), abs=1e-10)
    torch.testing.assert_close(by_feature, stored["grad_features"], rtol=0, atol=1e-9)
    assert by_weight.norm().item() == pytest.approx(stored["grad_projections_norm"].item(), rel=1e-6)
    assert by_bias.isfinite().all()


def test_the_key_follows_the_query_and_the_queue_forgets_its_oldest(stored) -> None:
    cac = small(momentum=0.999, queue=24, length=8, spaces=5, width=4).double()
    query, key = heads()
    cac.attention, cac.key_attention = query, key
    cac.queue.copy_(F.normalize(rnd("cac/queue", 24, 8), dim=1))
    keys = stored["representation_key"]
    seen = Attended(stored["projected"], torch.zeros(4, 5).double(), stored["attention"], stored["representation"])

    with torch.no_grad():
        cac.after_step([{"keys": keys, **seen._asdict()}])

    torch.testing.assert_close(
        key.projections.weight.detach().unflatten(0, (5, 8)), stored["key_weight_after"], **CLOSE
    )
    torch.testing.assert_close(cac.queue, stored["queue_after"], **CLOSE)


def test_the_clips_of_all_ranks_go_into_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    cac = small()
    (objective,) = cac.objectives(Batch(Clips(clips())))
    monkeypatch.setattr(ranks, "gathered", lambda values: torch.cat([values, -values]))  # another rank's

    with torch.no_grad():
        cac.after_step([objective.trace])

    keys = objective.trace["keys"]
    assert torch.equal(cac.queue[-4:], torch.cat([keys, -keys]))


def test_a_centre_goes_towards_what_attends_to_it() -> None:
    centres = torch.eye(2)
    projected = torch.tensor([[[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    seen = Attended(projected, torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [1.0, 0.0]]), torch.zeros(2, 2))

    moved = moved_centres(centres, seen, 0.5)

    torch.testing.assert_close(moved, torch.tensor([[0.5**0.5, 0.5**0.5], [0.0, 1.0]]))


def small(**settings: Any) -> Cac:
    torch.manual_seed(3)
    given = {"width": 4, "size": (32, 48), "channels": 1, "spaces": 3, "length": 8, "queue": 16}
    return Cac(CacSettings.model_validate(given | settings))


def clips() -> Tensor:
    return torch.rand(2, 8, 1, 32, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_it_has_as_many_parameters_as_the_reading_says() -> None:
    with torch.device("meta"):
        cac = Cac(CacSettings())
        narrower = [sum(one.numel() for one in Residual3D(3, width).parameters()) for width in (32, 16)]

    assert cac.parameter_counts() == {"training": 29_774_208, "inference": 14_887_104}
    assert narrower == [3_598_944, 903_984]


def test_the_key_has_no_gradient_and_begins_as_the_query() -> None:
    cac = small()
    (objective,) = cac.objectives(Batch(Clips(clips())))

    assert not any(one.requires_grad for one in cac._key())
    assert all(torch.equal(one, other) for one, other in zip(cac._key(), cac._query(), strict=True))
    gradients = torch.autograd.grad(objective.loss, cac.parameter_groups()["all"].parameters)
    assert all(one.isfinite().all() for one in gradients)


def test_all_frames_of_a_view_are_changed_alike_and_two_views_are_not_the_same() -> None:
    still, random = clips()[:, :1].expand(-1, 8, -1, -1, -1), torch.Generator().manual_seed(5)
    one, other = view(still, random), view(still, random)

    assert one.shape == still.shape
    assert torch.equal(one[:, 0], one[:, 7])
    assert not torch.allclose(one, other)
    assert -1 <= one.min() < one.max() <= 1


def test_a_distance_is_that_to_the_nearest_centre() -> None:
    cac = small().eval()
    with torch.no_grad():
        seen = cac.attention(cac.encoder(clips()), cac.centres)
        cac.centres[1] = seen.projected[0, 1]
        evidence = cac(clips())

    assert evidence.distance.shape == (2, 1, 1)
    assert evidence.distance[0].item() == pytest.approx(0, abs=1e-6)
    assert evidence.distance[1].item() > 0


def test_a_space_that_takes_all_the_attention_is_an_ailment() -> None:
    cac = small()
    assert cac.ailments() == []
    cac.usage.copy_(torch.tensor([0.97, 0.02, 0.01]))

    assert cac.ailments() == ["spaces: one of 3 has 97 % of the attention"]

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from oddframe.detectors import detector_entry
from oddframe.detectors.dream import DreamSettings
from oddframe.errors import SettingsError
from oddframe.models.detector import Batch, Clips, Objective
from oddframe.models.dream import Dream, Lesson, lessons
from oddframe.nn.memory import Memory, unit

SIZE = (16, 24)
MEMORIES_ALONE = {"decoder": False, "discriminator": False}


def small(**settings: object) -> Dream:
    torch.manual_seed(3)
    return Dream(
        DreamSettings.model_validate({"width": 4, "size": SIZE, "channels": 1, "items": 3} | settings),
        torch.Generator().manual_seed(5),
    )


def clips(seed: int, count: int = 2, places: Tensor | None = None) -> Clips:
    return Clips(torch.rand(count, 5, 1, *SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1, places)


def corner(count: int = 2) -> Tensor:
    """The upper left cell of the query grid is abnormal."""
    marked = torch.zeros(count, *SIZE, dtype=torch.bool)
    marked[:, :8, :8] = True
    return marked


def objective(dream: Dream, batch: Batch) -> Objective:
    (found,) = dream.objectives(batch)
    return found


def memory(dream: Dream, branch: str) -> Memory:
    found = dream.get_submodule(f"{branch}.memory")
    assert isinstance(found, Memory)
    return found


FULL = Batch(clips(1), clips(2), clips(3))


@pytest.mark.parametrize(
    ("settings", "training", "inference"),
    [
        ({}, 16_830_979, 14_471_171),
        ({"discriminator_norm": True}, 16_832_003, 14_471_171),
        ({"memory": "single", "discriminator": False}, 15_650_819, 15_650_819),
    ],
)
def test_parameters_are_those_of_the_paper(settings: dict[str, object], training: int, inference: int) -> None:
    dream = detector_entry("dream-unet").load()(DreamSettings.model_validate(settings))
    assert dream.parameter_counts() == {"training": training, "inference": inference}


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize("memory", ["dual", "single", "none"])
def test_evidence_has_its_shapes_with_every_patch_and_memory(patch: int, memory: str) -> None:
    dream = small(patch=patch, memory=memory).eval()
    evidence = dream(clips(1).pixels)
    assert evidence.error.shape == (2, 16, 24)
    assert evidence.predicted.shape == (2, 1, 16, 24)
    assert dream.has_distance == (memory != "none")
    if evidence.distance is None:
        assert not dream.has_distance
    else:
        assert evidence.distance.shape == (2, 2, 3)
    queries = dream.queries(clips(1).pixels)
    assert list(queries) == (["normality", "abnormality"] if memory == "dual" else ["normality"])
    assert all(torch.allclose(each.norm(dim=1), torch.ones(2, 2, 3)) for each in queries.values())


def test_neither_memory_nor_decoder_is_refused() -> None:
    with pytest.raises(SettingsError, match="nothing to judge with"):
        small(memory="none", decoder=False)


def test_without_a_decoder_the_error_is_the_frame_difference() -> None:
    clip = clips(1).pixels
    evidence = small(**MEMORIES_ALONE).eval()(clip)
    assert torch.allclose(evidence.error, ((clip[:, 4] - clip[:, 3]) / 2).square().mean(dim=1))
    assert torch.equal(evidence.predicted, clip[:, 3])


def test_without_a_decoder_judging_leaves_the_abnormality_branch_alone() -> None:
    dream = small(**MEMORIES_ALONE).eval()
    assert dream.abnormality is not None
    dream.abnormality.head.register_forward_hook(lambda *_: pytest.fail("the abnormality head was computed"))
    dream(clips(1).pixels)
    unused = sum(parameter.numel() for parameter in dream.abnormality.parameters())
    counts = dream.parameter_counts()
    assert counts["training"] - counts["inference"] == unused


def test_judging_is_the_same_alone_and_in_a_batch() -> None:
    dream, clip = small().eval(), clips(1, count=3).pixels
    together, alone = dream(clip), dream(clip[1:2])
    assert torch.allclose(together.error[1:2], alone.error, atol=1e-6)
    assert together.distance is not None
    assert torch.allclose(together.distance[1:2], alone.distance, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "roles"),
    [
        ({}, ("normal", "second", "abnormal")),
        ({"memory": "none"}, ("normal", "second", "abnormal")),
        ({"discriminator": False}, ("normal", "abnormal")),
        ({"discriminator": False, "memory": "single", "query_margin": 1.0}, ("normal", "abnormal")),
        ({"discriminator": False, "memory": "single"}, ("normal",)),
        ({"discriminator": False, "memory": "none"}, ("normal",)),
    ],
)
def test_roles_follow_the_losses(settings: dict[str, object], roles: tuple[str, ...]) -> None:
    assert small(**settings).roles == roles


PAPER_TERMS = {
    "reconstruction": 1.0,
    "normality.compactness": 0.1,
    "normality.separateness": 0.1,
    "normality.triplet": 0.1,
    "abnormality.compactness": 0.1,
    "abnormality.separateness": 0.1,
    "abnormality.triplet": 0.1,
}


def test_the_paper_has_seven_terms_with_its_weights() -> None:
    found = objective(small(), FULL)
    assert found.group == "all"
    assert dict(found.weights) == PAPER_TERMS
    assert found.loss.item() == pytest.approx(
        sum(found.weights[name] * term.item() for name, term in found.terms.items())
    )


def test_a_reading_stands_for_what_always_moves_together_and_each_of_it_can_be_set_by_itself() -> None:
    code = DreamSettings(reading="code")
    assert (code.update_weight, code.triplet_features, code.triplet_distance) == ("max", "unit", "plain")
    assert (code.separateness_distance, code.abnormality_anchor, code.discriminator_norm) == ("plain", True, True)
    text = DreamSettings()
    assert (text.update_weight, text.triplet_features, text.triplet_distance) == ("softmax", "raw", "squared")
    assert (text.separateness_distance, text.abnormality_anchor, text.discriminator_norm) == ("squared", False, False)
    own = DreamSettings(reading="code", update_weight="softmax")
    assert own == DreamSettings.model_validate(code.model_dump() | {"update_weight": "softmax"})


def test_which_role_teaches_which_branch_what() -> None:
    own, pushed, nothing = Lesson(feeds=True, draws=True), Lesson(pushes=True), Lesson()
    assert lessons(DreamSettings()) == {
        "normality": {"normal": own, "second": own, "abnormal": nothing},
        "abnormality": {"normal": nothing, "second": nothing, "abnormal": own},
    }
    assert lessons(DreamSettings(abnormality_anchor=True))["abnormality"]["normal"] == Lesson(draws=True)
    with_margin = lessons(DreamSettings(query_margin=1.0))
    assert (with_margin["normality"]["abnormal"], with_margin["abnormality"]["second"]) == (pushed, pushed)
    assert lessons(DreamSettings(memory="single"))["normality"]["abnormal"] == own
    assert lessons(DreamSettings(memory="single", query_margin=1.0))["normality"]["abnormal"] == pushed


@pytest.mark.parametrize("batch", [Batch(FULL.normal), Batch(FULL.normal, FULL.second)])
def test_without_abnormal_clips_only_what_needs_them_is_absent(batch: Batch) -> None:
    assert set(objective(small(), batch).terms) == {"reconstruction", "normality.compactness", "normality.separateness"}


def test_the_positives_of_the_triplet_are_the_second_normal_clips() -> None:
    dream = small().eval()
    anchors, others = (
        objective(dream, Batch(FULL.normal, second, FULL.abnormal)).terms["normality.triplet"].item()
        for second in (FULL.normal, FULL.second)
    )
    assert anchors != others


def test_every_parameter_of_the_paper_learns() -> None:
    dream = small()
    objective(dream, FULL).loss.backward()
    assert all(parameter.grad is not None for parameter in dream.parameters())


def test_two_normal_roles_are_added() -> None:
    dream = small().eval()  # running statistics, so that one role's pass does not depend on the other's
    one, two, both = (
        objective(dream, batch).terms["reconstruction"].item()
        for batch in (Batch(FULL.normal), Batch(clips(2)), Batch(FULL.normal, clips(2)))
    )
    assert both == pytest.approx(one + two)


def test_abnormal_clips_pass_the_decoder_without_a_loss_and_only_if_asked() -> None:
    counts = {}
    for decoded in (True, False):
        dream = small(decode_abnormal=decoded)
        objective(dream, FULL)
        counts[decoded] = int(dream.get_buffer("decoder.entry.1.num_batches_tracked"))
    assert counts == {True: 3, False: 2}


def test_the_normal_anchor_enters_the_abnormality_losses_only_if_asked() -> None:
    with_anchor, without = (
        objective(small(abnormality_anchor=anchor), Batch(FULL.normal)).terms for anchor in (True, False)
    )
    assert set(with_anchor) - set(without) == {"abnormality.compactness", "abnormality.separateness"}


def test_losses_do_not_move_the_items_and_the_step_after_does() -> None:
    dream = small()
    before = {name: memory(dream, name).items.clone() for name in ("normality", "abnormality")}
    found = objective(dream, FULL)
    assert all(torch.equal(memory(dream, name).items, items) for name, items in before.items())
    dream.after_step([found.trace])
    assert not any(torch.equal(memory(dream, name).items, items) for name, items in before.items())
    assert all(not queries.requires_grad for queries in found.trace.values())


def test_normal_clips_never_move_the_abnormality_memory_nor_abnormal_ones_the_other() -> None:
    dream = small(decoder=False)
    before = memory(dream, "abnormality").items.clone()
    trace = objective(dream, Batch(FULL.normal, FULL.second)).trace
    dream.after_step([trace])
    assert torch.equal(memory(dream, "abnormality").items, before)
    assert set(trace) == {"normal.normality", "second.normality"}
    assert set(objective(dream, FULL).trace) - set(trace) == {"abnormal.abnormality"}


def test_a_single_memory_takes_both_kinds_unless_the_margin_pushes_one_away() -> None:
    assert "abnormal.normality" in objective(small(memory="single"), FULL).trace
    assert "abnormal.normality" not in objective(small(memory="single", query_margin=1.0), FULL).trace


def test_each_role_has_a_softmax_of_its_own_in_the_update() -> None:
    dream = small()
    trace = objective(dream, FULL).trace
    items = memory(dream, "normality").items
    terms = [memory(dream, "normality").update_terms(trace[f"{role}.normality"]) for role in ("normal", "second")]
    wanted = unit(items + terms[0] + terms[1])
    dream.after_step([trace])
    assert torch.allclose(memory(dream, "normality").items, wanted, atol=1e-6)


def test_a_step_in_two_parts_moves_the_items_as_one_does() -> None:
    split, whole = small(**MEMORIES_ALONE).eval(), small(**MEMORIES_ALONE).eval()
    parts = [Batch(clips(1), None, clips(3)), Batch(clips(2), None, clips(4))]
    joined = Batch(
        Clips(torch.cat([part.normal.pixels for part in parts])),
        None,
        Clips(torch.cat([clips(3).pixels, clips(4).pixels])),
    )
    split.after_step([objective(split, part).trace for part in parts])
    whole.after_step([objective(whole, joined).trace])
    for name in ("normality", "abnormality"):
        assert torch.allclose(memory(split, name).items, memory(whole, name).items, atol=1e-6)


def test_the_query_margin_has_three_terms_of_its_own_in_place_of_abnormal_compactness() -> None:
    found = objective(small(query_margin=0.7, **MEMORIES_ALONE), Batch(clips(1), None, clips(3, places=corner())))
    assert dict(found.weights) == {
        "normality.compactness": 0.1,
        "normality.separateness": 0.1,
        "normality.push_abnormal": 0.7,
        "abnormality.push_normal": 0.7,
        "abnormality.pull_abnormal": 0.7,
        "abnormality.separateness": 0.1,
    }


def test_the_query_margin_looks_at_the_marked_cells_and_feeds_the_abnormality_memory_from_them_only() -> None:
    dream = small(query_margin=1.0, query_margin_distance=4.0, **MEMORIES_ALONE).eval()
    abnormal = clips(3, places=corner())
    found = objective(dream, Batch(clips(1), None, abnormal))
    queries = dream.queries(abnormal.pixels)
    assert torch.equal(found.trace["abnormal.abnormality"].flatten(1), queries["abnormality"][:, :, 0, 0])
    to_normal, _ = memory(dream, "normality").nearest(queries["normality"])
    to_abnormal, _ = memory(dream, "abnormality").nearest(queries["abnormality"])
    assert found.terms["normality.push_abnormal"].item() == pytest.approx((4 - to_normal[:, 0, 0]).mean().item())
    assert found.terms["abnormality.pull_abnormal"].item() == pytest.approx(to_abnormal[:, 0, 0].mean().item())
    first, second = memory(dream, "abnormality").neighbours(queries["abnormality"])
    margin = dream.settings.separateness_margin
    marked = [(queries["abnormality"] - one).square().sum(dim=1)[:, 0, 0] for one in (first, second)]
    apart = (marked[0] - marked[1] + margin).clamp(min=0).mean()
    assert found.terms["abnormality.separateness"].item() == pytest.approx(apart.item())


def test_normal_places_of_abnormal_clips_are_drawn_to_the_normality_items_if_asked() -> None:
    dream = small(compactness=0.3, query_margin=1.0, compactness_beside=True, **MEMORIES_ALONE).eval()
    abnormal = clips(3, places=corner())
    found = objective(dream, Batch(clips(1), None, abnormal))
    distance = dream(abnormal.pixels).distance
    assert distance is not None
    assert found.terms["normality.beside"].item() == pytest.approx(distance[:, :, 2:].mean().item())
    assert found.weights["normality.beside"] == 0.3
    assert "normality.beside" not in objective(dream, Batch(clips(1))).terms


def test_the_worst_places_have_a_term_of_their_own() -> None:
    dream = small(worst_share=0.2, compactness=0.3, **MEMORIES_ALONE).eval()
    found = objective(dream, Batch(clips(1)))
    distance = dream(clips(1).pixels).distance
    assert distance is not None
    wanted = distance.flatten(1).topk(2, dim=1).values.mean().item()  # ceil(0.2 * 6 places)
    assert found.terms["normality.worst"].item() == pytest.approx(wanted)
    assert found.weights["normality.worst"] == 0.3


def test_ailments_name_the_branch() -> None:
    dream = small()
    own = memory(dream, "abnormality")
    own.items.copy_(own.items[0].expand(3, -1))
    assert dream.ailments() == ["abnormality memory: all 3 items are equal (every cosine above 0.999)"]


def test_a_memory_that_judging_does_not_use_has_no_ailments() -> None:
    dream = small(**MEMORIES_ALONE)
    own = memory(dream, "abnormality")
    own.items.copy_(own.items[0].expand(3, -1))
    assert dream.ailments() == []


@pytest.mark.slow
def test_training_draws_a_line_between_normal_and_abnormal_queries() -> None:
    """Normal clips are grey, abnormal ones have a bright corner: forty steps must tell these places apart."""
    dream = small(query_margin=1.0, compactness=1.0, width=8, patch=2, **MEMORIES_ALONE)
    draw = torch.Generator().manual_seed(11)

    def make(bright: bool) -> Clips:
        pixels = 0.1 * torch.randn(4, 5, 1, *SIZE, generator=draw)
        if bright:
            pixels[..., :8, :8] += 0.8
        return Clips(pixels, corner(4) if bright else None)

    optimiser = torch.optim.AdamW(dream.parameters(), lr=3e-3)
    for _ in range(40):
        found = objective(dream, Batch(make(False), None, make(True)))
        optimiser.zero_grad()
        found.loss.backward()
        optimiser.step()
        dream.after_step([found.trace])
    dream.eval()
    with torch.no_grad():
        odd, normal = (dream(make(bright).pixels).distance for bright in (True, False))
    assert odd is not None
    assert normal is not None
    assert odd[:, 0, 0].min() > 2 * normal.max()


def test_half_precision_leaves_evidence_and_losses_in_single() -> None:
    dream = small(query_margin=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(dream, FULL)
        evidence = dream.eval()(FULL.normal.pixels)
    dream.after_step([found.trace])
    assert evidence.distance is not None
    dtypes = itertools.chain((t.dtype for t in found.terms.values()), [evidence.error.dtype, evidence.distance.dtype])
    assert set(dtypes) == {torch.float32}


def test_the_same_seed_gives_the_same_detector() -> None:
    one, two = small().state_dict(), small().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.slow
def test_judging_can_be_exported_for_any_number_of_clips() -> None:
    dream, clip = small(patch=2).eval(), clips(1, count=3).pixels
    program = torch.export.export(dream, (clips(2).pixels,), dynamic_shapes=({0: torch.export.Dim("clips")},))
    own, exported = dream(clip), program.module()(clip)
    assert torch.allclose(exported[0], own.error)
    assert torch.allclose(exported[1], own.distance)

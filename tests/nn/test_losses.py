from __future__ import annotations

import pytest
import torch
from torch import Tensor

from oddframe.nn import losses

A_MAP = torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 2.0]]])  # two clips of 2x2 places


def test_compactness_averages_over_places_or_adds_them_and_averages_over_clips() -> None:
    assert losses.compactness(A_MAP).item() == 1.0  # (1.5 + 0.5) / 2
    assert losses.compactness(A_MAP, "sum").item() == 4.0  # (6 + 2) / 2


def test_separateness_counts_how_far_the_second_item_is_from_being_a_margin_farther() -> None:
    nearest, second = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.7, 1.9]]])
    assert losses.separateness(nearest, second, 1.0).item() == pytest.approx(0.4)  # (0.8 + 0) / 2
    cells = torch.tensor([[[True, False]]])
    assert losses.separateness(nearest, second, 1.0, cells=cells).item() == pytest.approx(0.8)


def test_separateness_is_0_where_there_is_no_second_item() -> None:
    assert losses.separateness(A_MAP, None).item() == 0.0


@pytest.mark.parametrize(
    ("features", "kind", "wanted"),
    [
        ("raw", "squared", 9 - 4 + 1.0),  # positive 3 away, negative 2 away
        ("raw", "plain", 3 - 2 + 1.0),
        ("unit", "squared", 0 - 4 + 1.0),  # positive the same way, negative opposite: below 0
        ("unit", "plain", 0 - 2 + 1.0),
    ],
)
def test_triplet_has_four_readings(features: str, kind: str, wanted: float) -> None:
    anchor, positive, negative = torch.tensor([[1.0, 0.0]]), torch.tensor([[4.0, 0.0]]), torch.tensor([[-1.0, 0.0]])
    loss = losses.triplet(anchor, positive, negative, margin=1.0, features=features, kind=kind)  # type: ignore[arg-type]
    assert loss.item() == pytest.approx(max(0.0, wanted), abs=1e-5)


def test_triplet_goes_through_the_shorter_ones_again() -> None:
    anchor = torch.zeros(3, 1)
    negative = torch.tensor([[1.0], [0.0]])
    # Negatives at 1, 0, 1: hinges 0, 1, 0.
    assert losses.triplet(anchor, anchor, negative, margin=1.0).item() == pytest.approx(1 / 3)


def test_plain_distance_has_a_finite_gradient_at_0() -> None:
    point = torch.zeros(1, 4, requires_grad=True)
    losses.plain_distance(point, torch.zeros(1, 4)).sum().backward()
    assert point.grad is not None
    assert torch.isfinite(point.grad).all()


def test_reconstruction_is_the_mean_over_all_elements() -> None:
    assert losses.reconstruction(torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]])).item() == 0.5


def test_worst_averages_the_largest_places_of_each_clip() -> None:
    assert losses.worst(A_MAP, 0.5).item() == 1.75  # (2.5 + 1) / 2
    assert losses.worst(A_MAP, 0.01).item() == 2.5  # at least one place


def test_hinge_and_pull_look_at_their_cells_only() -> None:
    cells = torch.tensor([[[True, True], [False, False]], [[False, False], [False, True]]])
    assert losses.hinge(A_MAP, 1.5, cells).item() == 0.5  # (mean of 1.5 and 0.5, and 0) / 2
    assert losses.pull(A_MAP, cells).item() == 1.25  # (0.5 + 2) / 2


def test_beside_looks_at_places_that_touch_no_cell_and_leaves_out_clips_without_any() -> None:
    distance = torch.arange(10.0).reshape(2, 1, 5).requires_grad_()
    cells = torch.tensor([[[True, False, False, False, False]], [[False, True, False, True, False]]])
    found = losses.pull_elsewhere(distance, cells)
    assert found.item() == 3.0  # (2 + 3 + 4) / 3; in the second clip all places are abnormal or touch one
    found.backward()
    assert distance.grad is not None
    assert distance.grad.nonzero()[:, 2].tolist() == [2, 3, 4]
    assert losses.pull_elsewhere(distance[1:], cells[1:]).item() == 0


def places(*rectangles: tuple[int, int]) -> Tensor:
    """Pictures of 16x16 in which the first rows and columns are marked, a rectangle each."""
    marked = torch.zeros(len(rectangles), 16, 16, dtype=torch.bool)
    for number, (height, width) in enumerate(rectangles):
        marked[number, :height, :width] = True
    return marked


def test_a_cell_is_abnormal_from_a_quarter_of_marked_pixels() -> None:
    # Columns 0-9: the left cells are full, of the right ones 2 of 8 columns are marked: just a quarter.
    cells = losses.abnormal_cells(places((8, 10), (8, 9)), (2, 2, 2), torch.device("cpu"))
    assert cells.tolist() == [[[True, True], [False, False]], [[True, False], [False, False]]]


def test_a_small_mark_takes_the_cell_with_the_largest_share_and_no_mark_the_whole_frame() -> None:
    cells = losses.abnormal_cells(places((2, 3), (0, 0)), (2, 2, 2), torch.device("cpu"))
    assert cells.tolist() == [[[True, False], [False, False]], [[True, True], [True, True]]]


def test_without_places_the_whole_frame_is_abnormal() -> None:
    assert losses.abnormal_cells(None, (1, 2, 2), torch.device("cpu")).all()

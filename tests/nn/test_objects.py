"""Objects that are found by their motion: where they are, how they are followed, how they are described."""

from __future__ import annotations

import torch
from torch import Tensor

from oddframe.nn.objects import DESCRIPTION, described, fits, looked_at, objects_in

HEIGHT, WIDTH, FRAMES = 96, 144, 4


def passing(*squares: tuple[int, int, int, int]) -> Tensor:
    """A clip of grey ground and squares: each begins at a row and column and goes so far right and down."""
    clip = torch.zeros(1, FRAMES, 1, HEIGHT, WIDTH)
    texture = torch.rand(12, 12, generator=torch.Generator().manual_seed(1)) / 2 + 0.5
    for frame in range(FRAMES):
        for row, column, across, down in squares:
            top, left = row + down * frame, column + across * frame
            clip[0, frame, 0, top : top + 12, left : left + 12] = texture
    return clip


def middle(box: Tensor) -> list[float]:
    """Column and row in the middle of a box."""
    return [float(box[0] + box[2]) / 2 * WIDTH, float(box[1] + box[3]) / 2 * HEIGHT]


def near(seen: list[float], column: float, row: float, within: float = 8) -> bool:
    return abs(seen[0] - column) < within and abs(seen[1] - row) < within


def test_the_fastest_places_are_objects_and_the_whole_frame_is_the_last() -> None:
    found = objects_in(passing((20, 20, 1, 0), (60, 90, -1, 1)), 6)

    assert found.boxes.shape == (1, FRAMES, 7, 4)
    assert found.boxes[0, :, -1].tolist() == [[0, 0, 1, 1]] * FRAMES
    assert found.there[0, -1] == 1
    seen = [middle(box) for box, there in zip(found.boxes[0, -1], found.there[0], strict=True) if there][:-1]
    assert any(near(one, 29, 26) for one in seen)
    assert any(near(one, 93, 69) for one in seen)
    assert all(near(one, 29, 26, 16) or near(one, 93, 69, 16) for one in seen)


def test_an_object_is_followed_back_to_where_it_came_from() -> None:
    found = objects_in(passing((20, 20, 2, 0)), 1)
    last, first = middle(found.boxes[0, -1, 0]), middle(found.boxes[0, 0, 0])

    assert found.there.tolist() == [[1, 1]]
    assert last[0] - first[0] > 1.5  # its mean flow is that of the ground, too, which stands
    assert abs(last[1] - first[1]) < 1


def test_where_nothing_moves_there_is_nothing_but_the_frame_and_it_is_described_in_numbers() -> None:
    found = objects_in(torch.rand(1, 1, 1, HEIGHT, WIDTH).expand(2, FRAMES, -1, -1, -1), 3)

    assert found.there.tolist() == [[0, 0, 0, 1]] * 2
    assert described(found.pictures.flatten(0, 1), found.boxes.flatten(0, 1)).isfinite().all()


def test_a_box_is_looked_at_point_by_point_from_left_to_right_and_from_top_down() -> None:
    picture = (torch.arange(6.0).view(1, 6) + 10 * torch.arange(4.0).view(4, 1))[None, None]
    box = torch.tensor([[[2 / 6, 0.25, 4 / 6, 0.75]]])  # columns 2 and 3, rows 1 and 2

    assert looked_at(picture, box, 2)[0, 0, 0].tolist() == [[12, 13], [22, 23]]


def test_a_description_tells_which_way_and_how_fast_and_not_how_light_the_ground_is() -> None:
    pictures = torch.zeros(1, 3, 32, 48)
    pictures[:, 1] = 2.0  # two pixels to the right
    (right,) = described(pictures, torch.tensor([[[0.2, 0.2, 0.6, 0.6]]]))[0]

    assert right.shape == (DESCRIPTION,)
    ways = right[128:160].reshape(8, 4).mean(dim=1)
    assert ways.argmax() == 0
    assert ways[4] == 0
    torch.testing.assert_close(ways.sum(), torch.tensor(2.0), rtol=1e-3, atol=0)
    assert right[160:164].tolist() == [2.0, 2.0, 0.0, 0.0]


def test_a_picture_with_fewer_cells_has_fewer_objects() -> None:
    assert fits((240, 360), 8) == 8
    assert fits((16, 16), 32) == 16

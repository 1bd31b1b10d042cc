from __future__ import annotations

import cv2
import numpy as np

from oddframe.video import draw


def grey(value: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    return np.full((*size, 1), value, np.uint8)


def test_no_heat_leaves_the_picture_alone():
    picture = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)

    np.testing.assert_array_equal(draw.overlay(picture, np.zeros((3, 4), np.float32)), picture)


def test_heat_is_drawn_where_it_is_and_not_elsewhere():
    heat = np.zeros((3, 4), np.float32)
    heat[0, 0] = 2.0

    drawn = draw.overlay(grey(100), heat)

    assert drawn.shape == (24, 32, 3)
    np.testing.assert_array_equal(drawn[-1, -1], [100, 100, 100])
    red, green, blue = drawn[0, 0].astype(int)
    assert red > 150 > blue  # yellow over grey
    assert green > blue


def test_heat_far_below_the_alarm_line_is_transparent():
    alpha = draw.heat_layer(np.array([[0.0, 0.39, 1.0, 9.0]], np.float32))[0, :, 3]

    assert list(alpha[:2]) == [0, 0]
    assert alpha[2] == alpha[3] == 191


def test_a_box_is_drawn_on_its_own_edges_only():
    drawn = draw.with_box(grey(0), (4, 6, 10, 8))

    assert drawn[6, 4].any()
    assert drawn[13, 13].any()
    assert not drawn[10, 9].any()
    assert not drawn[20, 28].any()


def test_a_box_may_reach_past_the_picture():
    assert draw.with_box(grey(0), (20, 10, 100, 100)).shape == (24, 32, 3)


def test_a_sheet_fills_row_by_row():
    joined = draw.sheet([grey(1), grey(2), grey(3)], columns=2)

    assert joined.shape == (48, 64, 1)
    assert (joined[0, 0, 0], joined[0, 40, 0], joined[30, 0, 0], joined[30, 40, 0]) == (1, 2, 3, 0)


def test_fitting_keeps_the_shape_of_the_picture():
    assert draw.fit(grey(9, (240, 360)), 160).shape == (107, 160, 1)


def test_files_decode_to_what_was_drawn():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200

    lossy = cv2.imdecode(np.frombuffer(draw.jpeg(red), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    clear = cv2.imdecode(np.frombuffer(draw.png(np.dstack([red, red[..., :1]])), np.uint8), cv2.IMREAD_UNCHANGED)

    assert abs(int(lossy[8, 8, 0]) - 200) < 6
    assert lossy[8, 8, 1] < 8
    assert list(clear[8, 8]) == [0, 0, 200, 200]  # blue, green, red, alpha
    assert draw.jpeg(grey(7)).startswith(b"\xff\xd8")


def test_error_is_bright_where_it_is_large():
    drawn = draw.error_picture(np.array([[0.0, 0.09]], np.float32))

    assert drawn[0, 0].sum() < 10
    assert drawn[0, 1].min() > 100

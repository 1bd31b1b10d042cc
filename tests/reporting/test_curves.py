from __future__ import annotations

import numpy as np

from oddframe.evaluation.stored import Span
from oddframe.origin import HistoryRecord
from oddframe.reporting.curves import Loss, curve, losses, points_each


def test_a_short_curve_keeps_every_frame(scored):
    drawn = curve(scored([0.0, 1.0, 4.0], events=[(6, 7)]), points=100)

    assert drawn.frame == [4, 5, 6]
    assert drawn.time == [0.4, 0.5, 0.6]
    assert drawn.series["online"] == [0.0, 1.0, 4.0]
    assert drawn.series["psnr"] == [-40.0, -39.0, -36.0]  # higher is odder
    assert "paper" not in drawn.series
    assert (drawn.events, drawn.line, drawn.thinned, drawn.labelled) == ([(6, 7)], 3.0, 1, False)


def test_thinning_keeps_the_oddest_frame_of_each_piece(scored):
    drawn = curve(scored([0.0, 5.0, 1.0, 2.0, 1.0]), points=3)

    assert (drawn.thinned, drawn.frame, drawn.series["online"]) == (2, [5, 7, 8], [5.0, 2.0, 1.0])


def test_abnormal_stretches_carry_their_kinds(scored):
    labels = np.array([True, True, False, True])

    drawn = curve(scored([0.0] * 4), points=9, labels=labels, kinds=[Span(0, 6, "cart"), Span(5, 6, "runner")])

    assert drawn.odd == [(4, 6, "cart, runner"), (7, 8, "")]


def test_many_videos_share_the_points_of_a_page():
    assert (points_each(1), points_each(107), points_each(100_000)) == (1500, 560, 100)


def test_a_loss_falls_from_the_top_to_the_zero_line():
    first, second = ({"margin": 2.0, "late": 1.0}, {"margin": 0.0})
    history = [
        HistoryRecord(epoch=1, step=step, seconds=1.0, lr=0.1, terms=terms)
        for step, terms in ((10, first), (20, second))
    ]

    assert losses(history) == [Loss("margin", "2", "0", "0.0,2.0 100.0,38.0")]
    assert losses([]) == []

from __future__ import annotations

from oddframe.reporting.moments import oddest, worst_false_alarms, worst_misses


def frames(moments):
    return [(moment.video, moment.frame) for moment in moments]


def test_moments_of_one_video_are_a_second_apart_and_two_at_most(judged):
    # ten frames a second: places 0, 9, 10 and 25 score highest; 9 is too near to 0
    online = [3.0] * 40
    online[0], online[9], online[10], online[25] = 9.0, 8.0, 7.0, 6.0

    assert frames(worst_false_alarms([judged("0" * 40, online)])) == [("gate", 4), ("gate", 14)]


def test_a_miss_is_an_abnormal_frame_outside_every_alarm_lowest_first(judged):
    caught = judged("1" * 6, [0.1] * 6, name="caught", events=[(4, 10)])
    missed = judged("0011", [0.0, 0.2, 1.5, 1.2], name="missed")
    worse = judged("01", [0.0, 0.4], name="worse")

    assert frames(worst_misses([caught, missed, worse])) == [("worse", 5), ("missed", 7)]


def test_normal_frames_below_the_line_are_no_false_alarms(judged):
    assert worst_false_alarms([judged("000", [0.0, 2.9, 1.0])]) == []


def test_without_times_moments_are_25_frames_apart(scored):
    moments = oddest(scored([5.0] * 60, fps=None), most=9)

    assert [moment.frame for moment in moments] == [4, 29, 54]
    assert moments[0].time_s is None

from __future__ import annotations

import base64
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import oddframe
from oddframe.errors import MissingPathError, SettingsError
from oddframe.evaluation.judge import judge
from oddframe.evaluation.making import WHOLE_VIDEO
from oddframe.reporting import alarm_words, pictures, words
from oddframe.reporting.pages import report
from oddframe.reporting.pictures import VideoPictures
from oddframe.reporting.plot import plot
from oddframe.scoring.scores import AlarmLine


@pytest.fixture
def result(judged):
    videos = [
        judged("0" * 20 + "1" * 20, [1.0] * 10 + [5.0] * 20 + [0.5] * 10, events=[(14, 34)], kinds=[(24, 44, "cart")]),
        judged("1" * 12, [1.0] * 12, name="alley", kinds=[(4, 16, "runner")]),
    ]
    figures = judge(videos, known_kinds={"cart"}, heldout={"online": np.linspace(0, 3, 300)})
    return figures.changed(
        detector="dream-unet",
        data={"name": "gate-camera", "kind": "folder", "root": "/nowhere"},
        trained_on={"normal": ["a", "b"], "known": ["c"]},
        parameters=1234,
        seconds_training=75.0,
        settings={"detector": "dream-unet", "model": {"decoder": False, "size": [96, 144]}},
    )


def test_a_result_becomes_one_page_that_asks_for_nothing_from_outside(result, drawn, tmp_path, read):
    text, parsed = read(report(result, tmp_path / "page.html", pictures=drawn()))

    assert not re.search(r"https?:|url\(", text)
    links = [value for name, value in parsed.attributes if name in ("src", "href", "srcset", "action")]
    assert links
    assert all(link.startswith("data:") for link in links)
    assert "@import" not in text
    assert "dream-unet on gate-camera" in parsed.headings
    for heading in ("Every test video", "Worst misses", "Worst false alarms", "Known and unknown kinds of anomaly"):
        assert heading in parsed.headings
    assert "Trained in 1 min 15 s on 2 normal videos and 1 video with known anomalies." in text
    assert "prefers-color-scheme: dark" in text


def test_figures_stand_in_the_page(result, tmp_path, read):
    text, _ = read(report(result, tmp_path / "page.html", pictures=None))

    # of 20 x 32 pairs: 10 abnormal at 5 beat 10 normal at 1 and tie with 10 at 5; 12 at 1 tie with 10 at 1
    assert result.auc["online"]["micro"] == pytest.approx((10 * 10 + 10 * 10 / 2 + 12 * 10 / 2) / 640)
    assert "32.8" in text


def test_learned_says_why_it_is_online_where_it_is(result, tmp_path, read):
    notes = ["no known anomaly was held out: `learned` equals `online`"]
    alike = result.changed(notes=notes)

    assert words.explained("learned", result).startswith("As online, with weights fitted on known anomalies")
    assert "it has seen all of them (1 video)" in words.explained("learned", alike)
    without = alike.changed(trained_on={"normal": ["a"], "known": []})
    assert (
        "Equals online: there were no known anomalies" in read(report(without, tmp_path / "p.html", pictures=None))[0]
    )


def test_what_each_line_finds_stands_in_words_beside_the_curves(result, tmp_path, read):
    text, parsed = read(report(result, tmp_path / "page.html", pictures=None))

    assert "What a line finds, and what it costs" in parsed.headings
    # the alarm line is 3: of gate's frames at 5, 10 of 20 normal and 10 of 32 abnormal ones lie above
    assert "31.2 % of the abnormal frames lie above it, and 50.0 % of the normal ones" in text
    assert "of all frames above it, 50.0 % are abnormal" in text
    assert 'data-toggle="0" checked' in text


def test_alarms_are_told_with_their_precision(result, tmp_path, read):
    text, _ = read(report(result, tmp_path / "page.html", pictures=None))

    # one alarm, on the cart; the runner is missed
    assert "1 of 2 abnormal stretches raised an alarm." in text
    assert "1 of 1 alarm had a cause" in text
    assert alarm_words.events_in_words(result)[:2] == [
        ("recall", "50.0 %", "1 of 2 abnormal stretches raised an alarm."),
        ("precision", "100.0 %", "1 of 1 alarm had a cause: an abnormal stretch during the alarm."),
    ]


def test_alarms_of_older_results_are_told_as_far_as_they_are_known(result):
    older = {name: result.events[name] for name in ("labelled", "found", "missed", "false", "false_per_hour")}

    assert [name for name, _, _ in alarm_words.events_in_words(result.changed(events=older))] == [
        "recall",
        "false an hour",
    ]


def test_scenes_and_places_have_their_tables_where_there_are_any(result, tmp_path, read):
    row = {"videos": 1, "frames": 40, "abnormal": 20, "online": 0.625}
    figures = {"rbdc": 0.381, "tbdc": 0.128, "pixel_auc": 0.941, "covered_auc": None}
    places = {"frames": 30, "left_out": 0, "regions": 31, "tracks": 2, "figures": {"online": figures}}

    plain, _ = read(report(result, tmp_path / "plain.html", pictures=None))
    both = result.changed(scenes={"gate": row, "": {**row, "online": None}}, places=places)
    text, parsed = read(report(both, tmp_path / "page.html", pictures=None))

    assert "Scene by scene" not in plain
    assert "Are the odd places found?" not in plain
    assert {"Scene by scene", "Are the odd places found?"} <= {*parsed.headings}
    assert '<td class="n strong">62.5</td>' in text
    assert '<td class="n">38.1</td><td class="n">12.8</td><td class="n">94.1</td><td class="n">-</td>' in text
    assert "31 regions in 2 tracks" in text


def test_curves_and_small_frames_are_embedded(result, drawn, tmp_path, read, embedded):
    first, second = embedded(read(report(result, tmp_path / "page.html", pictures=drawn()))[0])

    assert (first["name"], second["name"]) == ("gate", "alley")
    assert first["odd"] == [[24, 44, "cart"]]
    thumbs = first["thumbs"]
    assert thumbs["frames"] == list(range(4, 44, 4))
    sheet = cv2.imdecode(np.frombuffer(base64.b64decode(thumbs["sheets"][0].split(",")[1]), np.uint8), 1)
    assert sheet.shape[:2] == (thumbs["height"], 10 * thumbs["width"])
    heat = cv2.imdecode(np.frombuffer(base64.b64decode(thumbs["heat"][0].split(",")[1]), np.uint8), -1)
    assert heat.shape == (thumbs["heat_height"], 10 * thumbs["heat_width"], 4)
    assert heat[:, : thumbs["heat_width"], 3].max() == 0  # score 1.0 there is far below the line
    assert heat[:, 4 * thumbs["heat_width"] :, 3].max() > 0
    assert second["thumbs"]["frames"] == [4, 8, 12]


def test_a_page_stays_small_by_showing_fewer_frames(result, drawn, monkeypatch):
    def frames(most_bytes):
        monkeypatch.setattr(pictures, "_MOST_BYTES", most_bytes)
        thumbs = pictures.album(drawn(), [video.scores for video in result.scored], []).thumbs.values()
        sheets = [base64.b64decode(sheet.split(",")[1]) for one in thumbs for sheet in one.sheets]
        return [len(one.frames) for one in thumbs], sum(len(sheet) for sheet in sheets)

    every, size = frames(10**9)

    assert every == [10, 3]
    assert frames(size - 1)[0] == [5, 2]
    assert frames(1)[0] == [1, 1]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("explains", [True, False])
def test_moments_are_shown_in_grey_and_colour_with_and_without_a_detector(
    result, drawn, tmp_path, channels, explains, read
):
    text, _ = read(report(result, tmp_path / "page.html", pictures=drawn(channels, explains)))

    assert 'alt="Frame 34 of gate"' in text  # the lowest abnormal frame after the alarm
    assert ("the frame before, for the same frame" in text) is explains


def test_a_video_that_is_gone_leaves_a_note_and_its_curve(result, drawn, tmp_path, read, embedded):
    text, _ = read(report(result, tmp_path / "page.html", pictures=drawn(gone=("alley",))))

    assert "No pictures of &#39;alley&#39;" in text
    first, second = embedded(text)
    assert first["thumbs"]
    assert second["thumbs"] is None


def test_when_the_data_are_gone_the_page_says_so(result, tmp_path, read):
    text, _ = read(report(result, tmp_path / "page.html"))

    assert "The videos are not where they were, so this page has no pictures." in text


def test_what_a_note_quotes_is_code_and_nothing_in_it_is_markup(result, tmp_path, read):
    text, _ = read(report(result.changed(notes=["`--set a=1` in <b>bold</b>"]), tmp_path / "page.html"))

    assert "<code>--set a=1</code> in &lt;b&gt;bold&lt;/b&gt;" in text


def test_a_page_is_made_again_from_stored_scores(result, tmp_path, read, embedded):
    result.save(tmp_path)

    page = report(tmp_path, pictures=None)

    assert page == tmp_path / "report.html"
    assert len(embedded(read(page)[0])) == 2


@pytest.mark.slow
def test_the_page_of_a_result_of_another_making_leaves_the_main_page_alone_and_says_who_judged(result, tmp_path, read):
    judging = {"backend": "openvino", "device": "auto", "seed": 7, "command": "oddframe eval g", "apart": ("seed7",)}
    fusions = {"paper": {"weights": {"psnr": 0.9, "distance": 0.1}, "normalised": WHOLE_VIDEO, "gamma": 0.9}}
    result = result.changed(run=str(tmp_path), judging=judging, fusions=fusions)

    page = report(result.save(tmp_path), pictures=None)

    assert page == report(result, pictures=None) == tmp_path / "report.seed7.html"
    text, _ = read(page)
    assert "openvino, seed 7: <code>oddframe eval g</code>" in text
    assert "0.9 psnr + 0.1 distance, each: min-max over each whole video" in text


def test_a_run_that_was_not_judged_is_said(tmp_path):
    with pytest.raises(MissingPathError, match="oddframe eval"):
        report(tmp_path)


def test_a_result_without_anomalies_has_a_page(judged, drawn, tmp_path, read):
    calm = judge([judged("000", [0.0, 1.0, 2.0])])

    text, _ = read(report(calm, tmp_path / "page.html", pictures=drawn()))

    assert "detection cannot be judged" in text
    assert "None: no frame labelled normal reaches the alarm line." in text


def test_scores_of_one_video_have_a_page(scored, drawn, tmp_path, read, embedded):
    scores = scored([1.0] * 10 + [4.0] * 5, events=[(14, 19)])

    text, parsed = read(report(scores, tmp_path / "page.html", pictures=drawn(channels=3)))

    assert parsed.headings == ["gate", "The whole video", "Alarms"]
    assert "15 frames judged (1.4 s). 1 stretch worth an alarm." in text
    assert "0:01.4 to 0:01.9" in text
    assert 'alt="Frame 14, the oddest of this alarm"' in text
    assert embedded(text)[0]["labelled"] is False


def test_scores_without_events_times_or_pictures_have_a_page(scored, tmp_path, monkeypatch, read):
    monkeypatch.chdir(tmp_path)

    page = report(scored([0.0, 1.0, 2.0], fps=None))

    text, parsed = read(page)
    assert page == Path("gate.html")
    assert parsed.headings == ["gate", "The whole video", "Notes", "The oddest frames"]
    assert "Nothing worth an alarm." in text


def test_notes_stand_on_a_page_as_sentences(scored, tmp_path, read):
    scores = replace(scored([0.0, 1.0]), notes=("the clock jumps at frame 3", "Is it another camera?"))

    text, _ = read(report(scores, tmp_path / "page.html", pictures=None))

    assert "<li>The clock jumps at frame 3.</li><li>Is it another camera?</li>" in text


def test_names_cannot_break_out_of_the_page(scored, tmp_path, read, embedded):
    name = "</script><script>alert(1)</script>"

    text, _ = read(report(scored([0.0, 1.0], name=name), tmp_path / "page.html"))

    assert "<script>alert" not in text
    assert embedded(text)[0]["name"] == name


def test_pictures_come_from_videos_by_their_numbers(make_video, tmp_path):
    from oddframe.video.open import open_video

    source = VideoPictures({"gate": open_video(make_video(tmp_path / "gate.mp4", frames=12))})

    assert [number for number, _ in source.frames("gate", [7, 3, 99])] == [3, 7]
    assert source.explain("gate", [3]) == ()


def test_the_public_function_writes_a_page(scored, tmp_path):
    assert oddframe.report(scored([0.0, 1.0]), tmp_path / "page.html").is_file()


@pytest.mark.slow
def test_importing_the_room_loads_no_library_that_it_may_not_need():
    code = (
        "import sys, oddframe.reporting.pages; "
        "sys.exit(' '.join(m for m in ('torch', 'sklearn', 'matplotlib', 'jinja2') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_plot_has_curve_line_and_events(scored, tmp_path):
    with pytest.raises(SettingsError, match=r"for example \.png"):
        plot(scored([0.0, 4.0]), tmp_path / "plot.xyz")
    figure = plot(scored([0.0, 4.0, 1.0], events=[(5, 6)]), tmp_path / "plot.png")

    curve, line = figure.axes[0].lines
    assert list(curve.get_ydata()) == [0.0, 4.0, 1.0]
    assert list(line.get_ydata()) == [3.0, 3.0]
    assert len(figure.axes[0].patches) == 1
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_lengths_and_moments_are_said_as_one_would():
    assert [words.duration(seconds) for seconds in (4.8, 75, 7300)] == ["4.8 s", "1 min 15 s", "2 h 1 min"]
    assert [words.clock(seconds) for seconds in (None, 64.84, 59.96, 3725)] == ["", "1:04.8", "1:00.0", "1:02:05.0"]
    assert words.count(1, "video") == "1 video"
    assert words.count(1200, "frame") == "1,200 frames"


@pytest.mark.parametrize(
    ("detector", "model", "picture", "error"),
    [
        ("dream-unet", {"decoder": True}, "what was predicted", "were predicted"),
        ("dream-unet", {"decoder": False}, "the frame before", "differ from the frame before"),
        ("framediff", {}, "the frame before", "differ from the frame before"),
        ("memae", {"items": 2000}, "what was reconstructed", "were reconstructed"),
        ("convae", {"a setting of": "another version"}, "what was reconstructed", "were reconstructed"),
        ("not installed here", {}, "what it was compared with", "differ from what they were compared with"),
    ],
)
def test_a_page_says_what_the_detector_compares_frames_with(result, detector, model, picture, error):
    told = result.changed(detector=detector, settings={"detector": detector, "model": model})

    assert words.compared_with(told) == picture
    assert error in words.explained("local_error", told)


def test_a_detector_that_could_predict_but_does_not_is_told_so(result):
    assert "without its decoder" in words.summary_of(result)
    assert "without" not in words.summary_of(result.changed(settings={"model": {"decoder": True}}))
    assert "here" not in words.summary_of(result.changed(detector="framediff", settings={}))


def test_a_page_says_what_online_is_made_of(result, tmp_path, read):
    given = ("psnr", "distance", "local_error", "local_distance", "motion")
    auc = dict(result.auc) | dict.fromkeys(given, result.auc["online"])
    settings = {"score": {"online": ["distance", "local_distance"]}}
    both = result.changed(auc=auc, settings=settings)
    error_alone = both.changed(auc={name: auc[name] for name in ("online", "psnr", "local_error")})

    text, _ = read(report(both, tmp_path / "page.html", pictures=None))
    assert "Here it is made of distance and local_distance; psnr, local_error and motion do not count." in text
    assert words.what_online_adds(error_alone) == "Here it is made of local_error; psnr does not count."
    assert words.what_online_adds(both.changed(settings={})) == ""


def test_a_network_below_the_floor_is_told_so(result):
    below, floor = (result.auc.online.changed(micro=micro) for micro in (0.5, 0.6))
    auc = dict(result.auc) | {"online": below, "motion": floor}

    assert words.against_floor(result.changed(auc=auc)).startswith("10.0 points below")
    assert words.against_floor(result.changed(auc=auc, detector="framediff")) == ""


def test_a_page_shows_the_better_floor_and_says_plainly_that_a_network_is_below_it(result, tmp_path, read):
    given = {"online": 0.7, "motion": 0.6, "flow": 0.75}
    auc = dict(result.auc) | {name: result.auc["online"].changed(micro=micro) for name, micro in given.items()}

    text, _ = read(report(result.changed(auc=auc), tmp_path / "page.html", pictures=None))

    assert '<p class="big">75.0<small>%</small></p>\n    <h2>AUC of optical flow alone</h2>' in text
    assert "The floor. Online is 5.0 points below what optical flow alone reaches: on these videos the network" in text
    assert "<h2>AUC of frame differences alone" not in text
    text, _ = read(report(result.changed(auc=auc, detector="flow"), tmp_path / "floor.html", pictures=None))
    assert "The floor. Online" not in text


def test_a_line_without_times_promises_no_rate():
    assert "is not known" in words.line_in_words(AlarmLine(3.0, 2.0, None, 1.0))
    assert "0.5 false alarms an hour" in words.line_in_words(AlarmLine(3.0, 2.0, 0.5, 1.0))


def test_a_macro_auc_of_some_videos_says_of_which(judged):
    result = judge([judged("01", [0.0, 1.0], name="a"), *(judged("00", [0.0, 1.0], name=name) for name in "bcd")])

    assert words.macro(result).startswith("Macro AUC is the mean of 1 of 4 test videos")
    assert words.macro(judge([judged("01", [0.0, 1.0], name="a")])) == ""
    assert "expect" not in words.headline(result)

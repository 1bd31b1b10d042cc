from __future__ import annotations

import errno
import threading
from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import CutOffVideoError, FrameSizeError, SettingsError, StorageError
from oddframe.files import lock
from oddframe.training.calibrate import stored_frames
from oddframe.video import _digest
from oddframe.video import entry as entry_module
from oddframe.video import store as store_module
from oddframe.video.open import open_video
from oddframe.video.picture import as_picture
from oddframe.video.store import FrameStore


@pytest.fixture
def store(tmp_path) -> FrameStore:
    return FrameStore(tmp_path / "store")


@pytest.fixture
def grey_folder(tmp_path, make_frame_folder) -> Path:
    return make_frame_folder(tmp_path / "01", frames=12)


def decodes(monkeypatch) -> list[str]:
    """Note the name of every video that the store decodes from now on."""
    done, write = [], store_module.write_entry
    monkeypatch.setattr(
        store_module,
        "write_entry",
        lambda at, video, *rest, **how: done.append(video.name) or write(at, video, *rest, **how),
    )
    return done


def test_area_averages_blocks():
    pixels = np.array([[0, 4, 8, 8], [4, 8, 8, 8]], np.uint8)[:, :, None]

    assert as_picture(pixels, (1, 2), 1)[:, :, 0].tolist() == [[4, 8]]


def test_a_picture_of_the_right_size_is_left_as_it_is(picture):
    np.testing.assert_array_equal(as_picture(picture(3), (48, 64), 3), picture(3))


def test_colour_becomes_luma_and_grey_becomes_three_equal_channels():
    red = np.zeros((2, 2, 3), np.uint8)
    red[:, :, 0] = 255

    assert as_picture(red, (2, 2), 1).ravel().tolist() == [76] * 4  # 0.299 * 255
    assert as_picture(np.full((2, 2, 1), 9, np.uint8), (4, 6), 3).tolist() == np.full((4, 6, 3), 9).tolist()


def test_the_store_holds_what_as_picture_makes_of_each_frame(store, tmp_path, make_video):
    video = open_video(make_video(tmp_path / "gate.mp4", frames=9))

    stored = store.open(video, (24, 40), 3)

    assert isinstance(stored.pixels[0], np.memmap)
    assert (stored.pixels.shape, stored.pixels.dtype, stored.first_index) == ((9, 24, 40, 3), np.uint8, 0)
    assert stored.times_s == pytest.approx(np.arange(9) * 0.08)
    for frame in video.frames():
        np.testing.assert_array_equal(stored.pixels[frame.index], as_picture(frame.pixels, (24, 40), 3))
    with pytest.raises(ValueError, match="read-only"):
        stored.pixels[0][:] = 0


def test_a_grey_source_is_stored_with_one_channel(store, grey_folder):
    assert store.open(open_video(grey_folder), (24, 32), 3).pixels.shape == (12, 24, 32, 1)


def test_a_range_is_stored_with_the_sources_times(store, tmp_path, make_video):
    stored = store.open(open_video(make_video(tmp_path / "a.mkv", frames=20), start="5", end="0.8s"), (24, 32), 1)

    assert (len(stored.pixels), stored.first_index) == (5, 5)
    assert stored.times_s == pytest.approx([0.40, 0.48, 0.56, 0.64, 0.72])


def test_a_folder_gets_its_times_from_the_rate_that_is_given(store, grey_folder, monkeypatch):
    done = decodes(monkeypatch)

    assert store.open(open_video(grey_folder), (24, 32), 1).times_s is None
    assert store.open(open_video(grey_folder, fps=10, start="2"), (24, 32), 1).times_s[:2] == pytest.approx([0.2, 0.3])
    assert store.open(open_video(grey_folder, fps=4), (24, 32), 1).times_s[:2] == pytest.approx([0, 0.25])
    assert len(done) == 2  # whole and range; a rate changes no pixel


def test_a_video_is_decoded_once_also_under_another_name(store, tmp_path, make_video, monkeypatch):
    done = decodes(monkeypatch)
    path = make_video(tmp_path / "a.mp4", frames=5)

    store.open(open_video(path), (24, 32), 1)
    store.open(open_video(path), (24, 32), 1)
    store.open(open_video(path.rename(tmp_path / "b.mp4")), (24, 32), 1)

    assert done == ["a"]


def test_size_channels_and_method_make_entries_of_their_own(store, tmp_path, make_video):
    video = open_video(make_video(tmp_path / "a.mp4", frames=5))

    for size, channels, resize in (
        ((24, 32), 1, "area"),
        ((32, 24), 1, "area"),
        ((24, 32), 3, "area"),
        ((24, 32), 1, "linear"),
    ):
        store.open(video, size, channels, resize=resize)

    assert len(store.entries()) == 4


def test_a_changed_frame_is_noticed(store, grey_folder, make_frame_folder, picture, monkeypatch):
    done = decodes(monkeypatch)
    store.open(open_video(grey_folder), (48, 64), 1)
    make_frame_folder(grey_folder, frames=1, first=7, pictures=lambda _: picture(30, grey=True))

    stored = store.open(open_video(grey_folder), (48, 64), 1)

    assert len(done) == 2
    np.testing.assert_array_equal(stored.pixels[7], picture(30, grey=True))


def test_a_second_open_reads_no_frame_again(store, grey_folder, monkeypatch):
    store.open(open_video(grey_folder), (24, 32), 1)
    video = open_video(grey_folder)
    monkeypatch.setattr(_digest, "_content", lambda *_, **__: pytest.fail("the frames were read"))

    store.open(video, (24, 32), 1)


def test_progress_ends_at_the_number_of_frames(store, tmp_path, make_video):
    seen = []

    store.open(open_video(make_video(tmp_path / "a.mp4", frames=60)), (8, 8), 1, progress=lambda *now: seen.append(now))

    assert seen == [(25, 60), (50, 60), (60, 60)]


def test_the_least_recently_opened_entries_make_room_and_never_one_in_use(tmp_path, make_frame_folder):
    def store() -> FrameStore:
        return FrameStore(tmp_path / "store", limit_bytes=27_000)  # two entries of 12 frames of 24x32, not three

    videos = [
        open_video(make_frame_folder(tmp_path / name, frames=12, first=place))
        for place, name in enumerate(["a", "b", "c"])
    ]

    first = store().open(videos[0], (24, 32), 1)
    store().open(videos[1], (24, 32), 1)
    store().open(videos[0], (24, 32), 1)
    last = store()
    last.open(videos[2], (24, 32), 1)

    assert [Path(entry.source).name for entry in last.entries()] == ["c", "a"]
    last.open(videos[1], (24, 32), 1)
    assert [Path(entry.source).name for entry in last.entries()] == ["b", "c"]
    assert first.pixels[11].max() > 0  # what is open may still be read
    with pytest.raises(StorageError, match="in use at the same time"):
        last.open(videos[0], (24, 32), 1)
    assert last.size_bytes() <= last.limit_bytes


def test_what_does_not_fit_is_told_before_it_is_decoded(tmp_path, grey_folder, make_frame_folder, monkeypatch):
    store = FrameStore(tmp_path / "store", limit_bytes=20_000)
    done, video = decodes(monkeypatch), open_video(grey_folder)
    other = open_video(make_frame_folder(tmp_path / "02", frames=12, first=1))

    with pytest.raises(StorageError, match="oddframe data cache --limit 1GB"):
        store.open(video, (48, 64), 1)  # 37 kB
    with pytest.raises(StorageError, match="pictures of 2 videos"):
        store.reserve([video, other], (24, 32), 1)  # 13 kB each

    assert done == []
    store.reserve([video], (24, 32), 1)


def test_the_limit_is_an_argument_a_variable_or_what_was_noted(tmp_path, grey_folder, monkeypatch):
    folder = tmp_path / "store"
    store = FrameStore(folder)
    assert store.limit_bytes == 20e9
    store.open(open_video(grey_folder), (24, 32), 1)

    assert FrameStore(folder).set_limit(1000) > 12 * 24 * 32  # nobody has it open there
    assert FrameStore(folder).limit_bytes == 1000
    assert FrameStore(folder).entries() == []
    monkeypatch.setenv("ODDFRAME_CACHE_LIMIT", "40GB")
    assert FrameStore(folder).limit_bytes == 40e9
    assert FrameStore(folder, limit_bytes=7).limit_bytes == 7
    monkeypatch.setenv("ODDFRAME_CACHE_LIMIT", "much")
    with pytest.raises(SettingsError, match='"40GB"'):
        FrameStore(folder)


def test_clear_empties_the_store_and_says_how_much_that_was(store, grey_folder):
    store.open(open_video(grey_folder), (24, 32), 1)
    taken = store.size_bytes()

    assert taken > 12 * 24 * 32
    assert store.clear() == taken
    assert store.entries() == []
    store.open(open_video(grey_folder), (24, 32), 1)


def test_a_full_disk_is_told_and_leaves_nothing_behind(store, grey_folder, tmp_path, make_frame_folder, monkeypatch):
    store.open(open_video(grey_folder), (24, 32), 1)

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(entry_module, "as_picture", no_room)
        with pytest.raises(StorageError, match="No space left"):
            store.open(open_video(make_frame_folder(tmp_path / "02", frames=3)), (24, 32), 1)

    assert len(store.entries()) == 1
    assert not [path for path in store.folder.iterdir() if path.name.startswith(".filling")]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageError, match="ODDFRAME_CACHE"):
        FrameStore(tmp_path / "file" / "store")


@pytest.mark.parametrize("part", ["pixels.npy", "entry.json", "times.f64"])
def test_an_entry_that_is_cut_off_is_made_again(store, tmp_path, make_video, part):
    video = open_video(make_video(tmp_path / "a.mp4", frames=12))
    whole = store.open(video, (48, 64), 1)
    damaged = store.folder / store.entries()[0].key / part
    damaged.write_bytes(damaged.read_bytes()[:50])

    stored = store.open(video, (48, 64), 1)

    np.testing.assert_array_equal(stored.pixels[:], whole.pixels[:] if part != "pixels.npy" else stored.pixels[:])
    np.testing.assert_array_equal(stored.times_s, whole.times_s)
    assert stored.pixels[11].max() > 0


def test_no_damage_to_an_entry_ever_gives_other_pixels_or_times(store, tmp_path, make_video):
    video = open_video(make_video(tmp_path / "a.mkv", frames=6, size=(16, 24), grey=True, codec="ffv1"))
    stored = store.open(video, (16, 24), 1)
    pixels, times = np.array(stored.pixels), np.array(stored.times_s)
    entry = store.folder / store.entries()[0].key
    draw = np.random.default_rng(0)

    for _ in range(16):
        path = draw.choice(sorted(entry.iterdir()))
        content = bytearray(path.read_bytes())
        content[draw.integers(len(content))] ^= 1 << draw.integers(8)
        path.write_bytes(content)

        stored = store.open(video, (16, 24), 1)

        np.testing.assert_array_equal(np.array(stored.pixels), pixels)
        np.testing.assert_array_equal(stored.times_s, times)


def test_a_block_is_checked_when_it_is_first_looked_at(store, grey_folder, picture, monkeypatch):
    monkeypatch.setattr(entry_module, "_BLOCK_BYTES", 2 * 48 * 64)  # two frames a block
    done, video = decodes(monkeypatch), open_video(grey_folder)
    store.open(video, (48, 64), 1)
    path = store.folder / store.entries()[0].key / "pixels.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # of frame 11
    path.write_bytes(content)

    stored = store.open(video, (48, 64), 1)
    np.testing.assert_array_equal(stored.pixels[3], picture(3, grey=True))
    assert done == ["01"]
    np.testing.assert_array_equal(stored.pixels[8:12:3][-1], picture(11, grey=True))
    assert done == ["01", "01"]
    np.testing.assert_array_equal(FrameStore(store.folder).open(video, (48, 64), 1).pixels[11], picture(11, grey=True))
    assert done == ["01", "01"]


def test_a_note_of_digests_that_is_damaged_is_passed_over(store, grey_folder, monkeypatch):
    store.open(open_video(grey_folder), (24, 32), 1)
    book = store.folder / "digests.jsonl"
    book.write_bytes(b'["half a li' + b"\xff\n[1, 2]\n{}\n" + b"[" * 3000 + b"\n" + book.read_bytes())
    monkeypatch.setattr(_digest, "_content", lambda *_, **__: pytest.fail("the frames were read"))

    FrameStore(store.folder).open(open_video(grey_folder), (24, 32), 1)


def test_what_is_stored_is_opened_without_looking_at_other_entries(store, grey_folder, monkeypatch):
    store.open(open_video(grey_folder), (24, 32), 1)
    monkeypatch.setattr(FrameStore, "entries", lambda _: pytest.fail("all entries were looked at"))

    store.open(open_video(grey_folder), (24, 32), 1)
    FrameStore(store.folder).open(open_video(grey_folder), (24, 32), 1)


def test_what_a_killed_process_was_filling_is_cleared_and_what_a_living_one_fills_is_not(store, grey_folder):
    dead, alive = "a" * 32, "b" * 32
    for key in (dead, alive):
        (store.folder / f".filling-{key}-1000").mkdir()
    (store.folder / ".going-c").mkdir()

    with lock(store.folder / "locks" / f"{alive}.lock"):
        store.open(open_video(grey_folder), (24, 32), 1)

    left = [path.name for path in store.folder.iterdir() if path.name.startswith(".")]
    assert left == [f".filling-{alive}-1000"]


def test_clearing_touches_nothing_that_is_not_the_stores(store, grey_folder):
    (store.folder / "holiday").mkdir()
    (store.folder / "holiday" / "film.mp4").touch()
    store.open(open_video(grey_folder), (24, 32), 1)

    store.clear()

    assert (store.folder / "holiday" / "film.mp4").exists()
    assert store.entries() == []


def test_a_broken_picture_is_a_missing_row_that_repeats_the_one_before(store, grey_folder, picture):
    for number in (0, 5, 6):
        (grey_folder / f"{number:03}.png").write_bytes(b"broken")
    video = open_video(grey_folder, fps=10)

    with pytest.raises(CutOffVideoError, match=r"3 of 12 frames[\s\S]*--allow-cut-off"):
        store.open(video, (48, 64), 1)
    stored = store.open(video, (48, 64), 1, allow_cut_off=True)

    assert np.flatnonzero(stored.missing).tolist() == [0, 5, 6]
    for row, shows in enumerate([1, 1, 2, 3, 4, 4, 4, 7, 8, 9, 10, 11]):
        np.testing.assert_array_equal(stored.pixels[row], picture(shows, grey=True))
    assert stored.times_s == pytest.approx(np.arange(12) / 10)
    assert [frame.index for frame in stored_frames(stored, 3, 9)] == [3, 4, 7, 8]


def test_two_who_open_the_same_video_decode_it_once(store, grey_folder, monkeypatch):
    done, shapes = decodes(monkeypatch), []

    def work():
        shapes.append(FrameStore(store.folder).open(open_video(grey_folder), (24, 32), 1).pixels.shape)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shapes == [(12, 24, 32, 1)] * 4
    assert done == ["01"]


def test_a_cut_off_video_is_stored_only_if_that_is_allowed(store, tmp_path, make_video):
    path = make_video(tmp_path / "a.avi", frames=60)
    path.write_bytes(path.read_bytes()[:-3000])
    video = open_video(path)

    with pytest.raises(CutOffVideoError):
        store.open(video, (24, 32), 1)
    assert store.entries() == []
    stored = store.open(video, (24, 32), 1, allow_cut_off=True)
    assert 0 < len(stored.pixels) < 60
    assert stored.cut_off
    with pytest.raises(CutOffVideoError) as caught:
        store.open(video, (24, 32), 1)
    assert caught.value.frames_read == len(stored.pixels)


def test_a_bad_frame_leaves_no_entry(store, grey_folder, make_frame_folder):
    make_frame_folder(grey_folder, frames=1, first=7, size=(10, 10))

    with pytest.raises(FrameSizeError):
        store.open(open_video(grey_folder), (24, 32), 1)

    assert store.entries() == []


def test_the_store_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("ODDFRAME_CACHE", str(tmp_path / "mine"))

    assert FrameStore().folder == tmp_path / "mine"


@pytest.mark.parametrize(("size", "channels"), [((24, 32), 2), ((0, 32), 1)])
def test_pictures_that_cannot_be_are_refused(store, grey_folder, size, channels):
    with pytest.raises(SettingsError):
        store.open(open_video(grey_folder), size, channels)


def test_a_frame_that_does_not_decode_in_the_middle_keeps_its_row(store, tmp_path, make_video):
    noise = np.random.default_rng(0)  # so that a picture has more bytes than are damaged
    path = make_video(
        tmp_path / "a.avi",
        frames=60,
        codec="mjpeg",
        pixel_format="yuvj420p",
        pictures=lambda _: noise.integers(0, 256, (48, 64, 3), np.uint8),
    )
    whole = bytearray(path.read_bytes())
    place = whole.find(b"\xff\xd8", len(whole) // 2)  # where a picture of the middle begins
    number = whole[:place].count(b"\xff\xd8")
    whole[place : place + 700] = bytes(700)
    path.write_bytes(whole)
    video = open_video(path)

    stored = store.open(video, (24, 32), 1)

    assert len(stored.pixels) == 60
    assert stored.missing is not None
    assert stored.missing.nonzero()[0].tolist() == [number]
    assert not stored.cut_off


def test_a_user_without_home_and_account_is_told_what_to_set(monkeypatch):
    pwd = pytest.importorskip("pwd")

    def no_account(_):
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", no_account)
    for name in ("HOME", "XDG_CACHE_HOME", "ODDFRAME_CACHE"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(StorageError, match="export ODDFRAME_CACHE="):
        FrameStore()

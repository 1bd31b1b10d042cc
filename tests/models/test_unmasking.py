"""Unmasking beside a slow second implementation in float64, whose classifiers are those of liblinear."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from oddframe.detectors.unmasking import UnmaskingSettings
from oddframe.errors import TooShortError
from oddframe.models.unmasking import Unmasking, bins_of, classifier, motion, moving_change, unmasked, without
from oddframe.settings_layers import load_settings
from oddframe.training.train import train


@pytest.fixture
def oracle(oracle_dir: Path) -> dict[str, NDArray[np.float64]]:
    with np.load(oracle_dir / "unmasking.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def draw(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).standard_normal(size=shape)


def frames() -> torch.Tensor:
    """(1, 16, 120, 160) float64: a blob that moves six pixels a frame over blocks of grey."""
    rows, columns = np.mgrid[:120, :160]
    blocks = 0.5 + 0.1 * np.kron(draw("unmask/background", (12, 16)).astype(np.float32), np.ones((10, 10)))
    made = []
    for t in range(16):
        blob = 0.4 * np.exp(-((rows - 60) ** 2 + (columns - 20 - 6 * t) ** 2) / 200)
        noise = 0.002 * draw(f"unmask/noise/{t}", (120, 160)).astype(np.float32)
        made.append((np.clip(blocks + blob + noise, 0, 1) * 255).round().astype(np.uint8) / 255)
    return torch.from_numpy(np.stack(made))[None]


def test_motion_is_the_change_of_blurred_pictures(oracle):
    pictures = frames()
    assert np.array_equal((pictures[0, :, 40:80, :80] * 255).round().numpy().astype(np.uint8), oracle["frames_u8"])

    change = motion(pictures)[0].numpy()

    assert change.mean(axis=(1, 2)) == pytest.approx(oracle["check_vol_mean"], abs=1e-9)
    assert change[7, 60] == pytest.approx(oracle["vol_row"], abs=1e-9)


def test_what_no_moving_cube_covers_is_nothing(oracle):
    change = motion(frames())

    moving = moving_change(change, threshold=5.0)[0].numpy()

    assert len(moving) == change.shape[1] - 8
    # theirs knows of moving cubes for volumes 5 to 9 alone, which is all that volume 7 depends on
    assert moving[7 - 4].mean() == pytest.approx(oracle["masked_mean"][7], abs=1e-9)
    moved = moving[7 - 4].reshape(12, 10, 16, 10).sum(axis=(1, 3)) > 0
    assert {*map(tuple, oracle["cube_places"])} <= {*map(tuple, np.argwhere(moved))}


CASES = "abcd"


def case(oracle: dict[str, NDArray[np.float64]], name: str) -> tuple[torch.Tensor, int, int, float]:
    """(1, 2w, d) rows, rounds, features a round, C."""
    half, features, rounds, removed, regularisation, shift = oracle[f"{name}_settings"].tolist()
    half, features = int(half), int(features)
    rows = np.abs(draw(f"unmask/{name}/x", (2 * half, features)))
    rows[half:, : features // 10] += 3 * shift
    return torch.from_numpy(rows).float()[None], int(rounds), int(removed), regularisation


@pytest.mark.parametrize("name", CASES)
def test_accuracies_are_those_of_classifiers_that_are_found_exactly(oracle, name):
    rows, rounds, removed, regularisation = case(oracle, name)

    accuracy = unmasked(rows, rounds=rounds, removed=removed, regularisation=regularisation, bias=False)

    assert accuracy[0].tolist() == pytest.approx(oracle[f"{name}_accuracy"].tolist(), abs=1e-6)
    assert float(accuracy.mean()) == pytest.approx(float(oracle[f"{name}_score"]), abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_each_round_takes_the_features_away_that_it_relied_on_most(oracle, name):
    rows, _, removed, regularisation = case(oracle, name)
    wanted = torch.arange(rows.shape[1]).ge(rows.shape[1] // 2).float()
    kept = torch.ones(1, 1, rows.shape[2])
    for number, gone in enumerate(oracle[f"{name}_gone"]):
        weights, _ = classifier(rows, kept, wanted, regularisation, bias=False)
        if number == 0:
            assert weights[0, :32].numpy() == pytest.approx(oracle[f"{name}_weights0"], abs=1e-5)
        fewer = without(kept, weights, removed)
        assert torch.nonzero((kept - fewer)[0, 0]).flatten().tolist() == gone.astype(int).tolist()
        kept = fewer


def test_a_bias_decides_of_frames_in_which_nothing_moves():
    rows = torch.zeros(1, 20, 100)
    rows[:, 10:, :50] = 1.0

    (with_bias,) = unmasked(rows, rounds=1, removed=50, regularisation=0.5, bias=True).tolist()
    (without_it,) = unmasked(rows, rounds=1, removed=50, regularisation=0.5, bias=False).tolist()

    assert with_bias == [1.0]
    assert without_it == [0.5]  # of the still frames the decision is 0, which counts as the second half


def test_quarters_are_rows_of_their_pixels():
    pictures = torch.arange(4 * 6).reshape(1, 1, 1, 4, 6).float()

    cut = bins_of(pictures)[0, 0, :, 0]

    assert cut.tolist() == [
        [0, 1, 2, 6, 7, 8],
        [3, 4, 5, 9, 10, 11],
        [12, 13, 14, 18, 19, 20],
        [15, 16, 17, 21, 22, 23],
    ]


def clip_of(first_moving: int) -> torch.Tensor:
    """(1, 38, 1, 120, 160): a flickering square in the upper left quarter from a frame on."""
    rng = torch.Generator().manual_seed(0)
    clip = torch.zeros(1, 38, 1, 120, 160)
    for t in range(first_moving, 38):
        clip[0, t, 0, 20:40, 20:40] = 2 * torch.rand(20, 20, generator=rng) - 1
    return clip


def test_what_begins_to_move_is_odd_where_it_does_and_a_still_picture_is_not():
    detector = Unmasking(UnmaskingSettings()).eval()

    begun = detector(clip_of(18)).distance[0]
    still = detector(clip_of(38)).distance[0]

    assert begun.shape == (2, 2)
    assert begun[0, 0] > 0.6
    assert begun.flatten()[1:].max() <= 0.05
    assert still.isfinite().all()
    assert still.max() <= 0.05


@pytest.mark.parametrize("stride", [1, 2, 5, 10])
def test_all_windows_that_hold_the_judged_frame_in_their_second_half_lie_within_its_clip(stride):
    detector = Unmasking(UnmaskingSettings(size=(40, 40), stride=stride, rounds=1)).eval()
    seen = torch.zeros(1, 38, 1, 40, 40)
    seen[0, :4, 0, :, :20] = 1  # what changes before the first window and after the last one counts nowhere
    seen[0, 34:, 0, :, :20] = 1

    assert detector.window == (23, 14)
    assert detector(seen).distance.max() <= 0.1


def test_it_is_judged_at_its_own_size_whatever_the_preset_says():
    settings = load_settings("cpu", detector="unmasking")

    assert (settings.model.size, settings.model.channels) == ((120, 160), 1)
    assert (settings.score.gamma, settings.score.online) == (0.0, ("local_distance",))
    assert load_settings("cpu", detector="unmasking", overrides=["model.size=[240, 320]"]).model.size == (240, 320)


def test_a_video_that_is_shorter_than_its_window_is_refused_with_what_it_takes(tmp_path):
    for index in range(50):
        (tmp_path / "gate" / "normal" / "a").mkdir(parents=True, exist_ok=True)
        picture = np.full((40, 60), 90 + index, np.uint8)
        assert cv2.imwrite(str(tmp_path / "gate" / "normal" / "a" / f"{index:03}.png"), picture)

    with pytest.raises(TooShortError, match=r"window of 'unmasking'[\s\S]*wanted: 38: the judged one"):
        train(tmp_path / "gate", out=tmp_path / "run", detector="unmasking", overrides=["model.size=[40, 60]"])

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from oddframe.models.framediff import squared_error
from oddframe.nn.evidence import MAX_PSNR, Evidence, components


def evidence(error: torch.Tensor, distance: torch.Tensor | None = None) -> Evidence:
    return Evidence(error, distance, torch.zeros(len(error), 1, *error.shape[1:]))


def test_psnr_of_an_even_error_of_a_hundredth_is_20_db() -> None:
    assert components(evidence(torch.full((1, 32, 32), 0.01)))["psnr"].item() == pytest.approx(20.0)


def test_psnr_of_equal_pictures_is_capped() -> None:
    assert components(evidence(torch.zeros(1, 32, 32)))["psnr"].item() == pytest.approx(MAX_PSNR)


def test_local_error_finds_the_square_that_the_average_buries() -> None:
    error = torch.zeros(2, 64, 64)
    error[1, 24:40, 40:56] = 1.0  # one whole square on the grid of 8
    found = components(evidence(error))
    assert found["local_error"].tolist() == [0.0, 1.0]
    assert found["local_error_map"].shape == (2, 7, 7)
    assert found["local_error_map"][1, 3, 5] == 1.0
    assert found["psnr"][1].item() == pytest.approx(10 * np.log10(4096 / 256), abs=1e-5)


def test_the_window_shrinks_to_a_smaller_picture() -> None:
    error = torch.zeros(1, 8, 32)
    error[0, :, :16] = 0.5
    assert components(evidence(error))["local_error"].item() == 0.5


def test_the_last_rows_count_where_the_stride_does_not_come_out_even() -> None:
    error = torch.zeros(1, 18, 32)
    error[0, 17] = 1.0
    assert components(evidence(error))["local_error"].item() == pytest.approx(1 / 10)  # square of rows 8 to 17


def test_distance_is_averaged_and_its_largest_place_kept() -> None:
    distance = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
    found = components(evidence(torch.zeros(1, 16, 16), distance))
    assert (found["distance"].item(), found["local_distance"].item()) == (1.5, 3.0)
    assert torch.equal(found["distance_map"], distance)


def test_a_local_component_is_the_mean_over_the_oddest_share_of_places() -> None:
    distance = torch.arange(100.0).reshape(1, 10, 10)
    found = components(evidence(torch.zeros(1, 16, 16), distance), share=0.03)
    assert found["local_distance"].item() == 98.0  # of 97, 98 and 99


def test_without_queries_there_is_no_distance() -> None:
    assert set(components(evidence(torch.zeros(1, 16, 16)))) == {"psnr", "local_error", "local_error_map"}


def test_psnr_is_that_of_the_peers(oracle_dir: Path) -> None:
    with np.load(oracle_dir / "scoring.npz", allow_pickle=False) as stored:
        predicted, target = torch.from_numpy(stored["psnr_pred"]), torch.from_numpy(stored["psnr_target"])
        mse, psnr = stored["psnr_mse01"], stored["psnr_value"]
    error = squared_error(predicted, target)
    np.testing.assert_allclose(error.mean(dim=(1, 2)).numpy(), mse, rtol=1e-6)
    np.testing.assert_allclose(components(evidence(error))["psnr"].numpy(), psnr, rtol=1e-6)

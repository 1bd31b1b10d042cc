"""The flow that is made in torch: against numbers, against movements that are known, in a graph and with a gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from oddframe.nn import flow

CLOSE = {"rtol": 0.0, "atol": 1e-5}  # stored in float32, computed in float64


@pytest.fixture
def stored(oracle_dir: Path) -> dict[str, Tensor]:
    with np.load(oracle_dir / "flow_lk.npz", allow_pickle=False) as numbers:
        return {name: torch.from_numpy(np.asarray(numbers[name])).double() for name in numbers.files}


def test_the_parts_are_those_of_the_specification(stored: dict[str, Tensor]) -> None:
    first, moved = stored["first"], torch.tensor([[1.25, -0.5], [-2.0, 1.5]]).double()
    right, down = flow.slopes(first)

    torch.testing.assert_close(flow.blur(first), stored["blurred"], **CLOSE)
    torch.testing.assert_close(right, stored["slope_x"], **CLOSE)
    torch.testing.assert_close(down, stored["slope_y"], **CLOSE)
    torch.testing.assert_close(
        flow.warp(first, moved[:, :, None, None].expand(2, 2, 48, 64)), stored["warped"], **CLOSE
    )
    torch.testing.assert_close(flow.median(stored["lk_l2w2"]), stored["median5"], **CLOSE)


@pytest.mark.parametrize(("levels", "warps"), [(1, 1), (2, 2), (3, 3)])
def test_flow_is_that_of_the_specification(stored: dict[str, Tensor], levels: int, warps: int) -> None:
    wanted = stored[f"lk_l{levels}w{warps}"]
    pictures = stored["first"], stored["second"]

    torch.testing.assert_close(flow.lucas_kanade(*pictures, levels=levels, warps=warps), wanted, **CLOSE)
    single = flow.lucas_kanade(*(one.float() for one in pictures), levels=levels, warps=warps)
    torch.testing.assert_close(single.double(), wanted, rtol=0, atol=1e-3)


def test_a_loss_between_flows_has_the_gradient_of_the_specification(stored: dict[str, Tensor]) -> None:
    predicted = stored["predicted"].requires_grad_()
    loss = (
        (flow.lucas_kanade(stored["first"], predicted) - flow.lucas_kanade(stored["first"], stored["second"]))
        .abs()
        .mean()
    )
    (gradient,) = torch.autograd.grad(loss, predicted)

    wanted = stored["grad_predicted"]
    assert float(loss.detach()) == pytest.approx(float(stored["loss"]), abs=1e-7)
    assert float((gradient - wanted).abs().max()) < 1e-4 * float(wanted.abs().max())


@pytest.mark.parametrize("moved", [(0.5, 0.0), (-1.5, 1.0), (3.0, -2.0)])
def test_a_shifted_picture_has_its_shift_with_three_levels(
    stored: dict[str, Tensor], moved: tuple[float, float]
) -> None:
    first = stored["first"]
    second = flow.warp(first, -torch.tensor(moved).double()[None, :, None, None].expand(2, 2, 48, 64))

    found = flow.lucas_kanade(first, second, levels=3, warps=3, damping=1e-5)[:, :, 12:-12, 12:-12].mean(dim=(0, 2, 3))

    assert found.tolist() == pytest.approx(moved, abs=0.1)


def test_where_nothing_moves_or_nothing_can_be_held_on_to_there_is_no_flow_and_none_is_believed() -> None:
    picture, flat = (
        torch.rand(1, 1, 16, 24, generator=torch.Generator().manual_seed(1)),
        torch.full((1, 1, 16, 24), 0.5),
    )

    for first, second in ((picture, picture), (flat, flat), (flat, flat + 0.3)):
        found = flow.lucas_kanade(first, second)
        assert float(found.abs().max()) < 1e-4
        assert float(flow.believed(found, first, second).abs().max()) < 1e-4


def test_a_flow_is_believed_as_far_as_it_takes_the_change_away(stored: dict[str, Tensor]) -> None:
    first, second = stored["first"], stored["second"]
    found = flow.lucas_kanade(first, second)

    right, wrong = flow.believed(found, first, second), flow.believed(-found, first, second)

    assert float(right.abs().mean()) > 0.6 * float(found.abs().mean())
    assert float(wrong.abs().mean()) < 0.05 * float(found.abs().mean())


def test_half_precision_around_it_changes_nothing(stored: dict[str, Tensor]) -> None:
    pictures = stored["first"].float(), stored["second"].float()

    with torch.autocast("cpu", torch.bfloat16):
        found = flow.believed(flow.lucas_kanade(*pictures), *pictures)

    assert torch.equal(found, flow.believed(flow.lucas_kanade(*pictures), *pictures))


class Moving(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return flow.believed(flow.lucas_kanade(first, second), first, second)


@pytest.mark.long
@pytest.mark.slow  # a graph takes seconds to build
def test_every_runtime_finds_the_same_flow(stored: dict[str, Tensor], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `runtime` is not installed")
    pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
    openvino = pytest.importorskip("openvino", reason="the extra `export` is not installed")
    pictures = stored["first"].float(), stored["second"].float()
    wanted = Moving()(*pictures).numpy()

    torch.onnx.export(
        Moving().eval(),
        pictures,
        tmp_path / "flow.onnx",
        dynamo=True,
        opset_version=18,
        input_names=["first", "second"],
        verbose=False,
        external_data=False,
    )

    given = {"first": pictures[0].numpy(), "second": pictures[1].numpy()}
    (seen,) = onnxruntime.InferenceSession(tmp_path / "flow.onnx", providers=["CPUExecutionProvider"]).run(None, given)
    np.testing.assert_allclose(seen, wanted, rtol=0, atol=1e-3)
    compiled = openvino.Core().compile_model(tmp_path / "flow.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(compiled(given)[0], wanted, rtol=0, atol=1e-3)

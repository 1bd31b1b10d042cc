from __future__ import annotations

import pytest
import torch

from oddframe.nn.convlstm import ConvLSTM, ConvLSTMNet, Decoder, FrameEncoder, Residual


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_parts_have_the_sizes_of_the_layer_table() -> None:
    with torch.device("meta"):
        encoder, decoder = FrameEncoder(3, 64), Decoder(256, 64, 3)
        counts = [count(ConvLSTM(256, 256)), count(ConvLSTM(256, 128)), count(Decoder(512, 64, 3))]
    assert [count(stage) for stage in encoder.stages] == [9_536, 73_984, 295_424]
    assert count(encoder.blocks) == 7_084_032
    assert [count(up) for up in decoder.ups] == [295_040, 73_792]
    assert count(decoder.out) == 9_411
    assert counts == [4_719_616, 1_769_984, 673_155]


def test_features_lie_at_a_quarter_and_pictures_come_back_whole() -> None:
    net = ConvLSTMNet(channels=1, width=4)
    features, skips = net.encoder()(random(2, 4, 1, 16, 24))
    assert (features.shape, skips) == ((2, 4, 16, 4, 6), [])
    state = net.head(8)(features)
    assert state.shape == (2, 8, 4, 6)
    assert net.decoder(8)(state, skips).shape == (2, 1, 16, 24)


def test_a_frame_is_encoded_whatever_stands_beside_it() -> None:
    encoder, frames = FrameEncoder(1, 4).double(), random(2, 3, 1, 16, 16).double()
    together, _ = encoder(frames)
    alone, _ = encoder(frames[1:, 2:])
    assert torch.allclose(together[1, 2], alone[0, 0], atol=1e-9)


def test_instance_norm_has_the_epsilon_of_the_peer() -> None:
    """A map of two values, 1 and -1, has variance 1: it is scaled by 1 / sqrt(1.001)."""
    norm = FrameEncoder(1, 4).stages[0][1]
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).expand(1, 4, 2, 2)
    assert torch.allclose(norm(board), board / 1.001**0.5, atol=1e-7)


def test_edges_of_the_encoder_are_mirrored() -> None:
    """Over a flat picture nothing changes towards the edges, as it would with zeros around it."""
    convolution = FrameEncoder(1, 4).stages[0][0]
    flat = convolution(torch.ones(1, 1, 16, 16))
    assert torch.allclose(flat, flat[:, :, 8:9, 8:9].expand_as(flat), atol=1e-6)


def test_nothing_cuts_off_what_is_negative_after_the_sum_of_a_block() -> None:
    block = Residual(4)
    torch.nn.init.zeros_(block.second[1].weight)
    x = random(1, 4, 5, 5)
    assert torch.equal(block(x), x)


def test_the_cell_is_that_of_its_equations() -> None:
    """With a 1x1 picture only the middle of each kernel counts: plain numbers, gate by gate."""
    cell = ConvLSTM(2, 1)
    torch.nn.init.normal_(cell.gates.bias)
    features = random(1, 3, 2, 1, 1)
    weights = cell.gates.weight[:, :, 1, 1].double()
    hidden = state = torch.zeros((), dtype=torch.float64)
    for frame in features[0, :, :, 0, 0].double():
        a, b, f, o = weights[:, :2] @ frame + weights[:, 2] * hidden + cell.gates.bias.double()
        state = state / (1 + torch.exp(-f - 1)) + torch.tanh(b) / (1 + torch.exp(-a))
        hidden = torch.tanh(state) / (1 + torch.exp(-o))
    assert cell(features).item() == pytest.approx(hidden.item(), abs=1e-6)


def test_the_state_spreads_over_neighbours_step_by_step() -> None:
    """One bright place reaches its 3x3 neighbours in one step and 5x5 in two."""
    cell = ConvLSTM(1, 4)
    features = torch.zeros(1, 2, 1, 7, 7)
    features[0, 0, 0, 3, 3] = 5.0
    for frames, reach in ((1, 1), (2, 2)):
        seen = torch.nonzero(cell(features[:, :frames]).abs().sum(dim=(0, 1)) > 1e-9)
        assert (seen.amin(), seen.amax()) == (3 - reach, 3 + reach)


def test_a_new_cell_keeps_most_of_what_it_holds() -> None:
    """With weights of 0 the forget gate is sigmoid(1) = 0.731, the others are 0.5."""
    cell = ConvLSTM(1, 1)
    torch.nn.init.zeros_(cell.gates.weight)
    with torch.no_grad():
        cell.gates.bias[1] = 100.0  # fresh input tanh(100) = 1 in each step
    first, second = 0.5, 0.5 * 0.7310586 + 0.5
    assert cell(torch.zeros(1, 1, 1, 1, 1)).item() == pytest.approx(0.5 * torch.tensor(first).tanh().item())
    assert cell(torch.zeros(1, 2, 1, 1, 1)).item() == pytest.approx(0.5 * torch.tensor(second).tanh().item())


def test_the_decoder_stays_within_the_range_of_pictures() -> None:
    assert Decoder(8, 4, 1)(1e4 * random(1, 8, 4, 4), []).abs().max() <= 1

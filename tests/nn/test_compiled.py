"""Compiling the parts of a network, and what is left of it afterwards."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import nn

from oddframe.errors import SettingsError
from oddframe.nn.compiled import compiled


class Holder(nn.Module):
    """Holds a part without being called itself, as a branch of DREAM does."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Linear(3, 2)


@pytest.fixture
def network() -> nn.Module:
    return nn.ModuleDict({"first": nn.Sequential(nn.Linear(2, 3), nn.ReLU()), "held": Holder()})


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++"))), reason="no C++ compiler")
def test_parts_are_compiled_for_as_long_as_it_lasts(network):
    names, x = list(network.state_dict()), torch.ones(4, 2)
    plain = network["held"].part(network["first"](x))

    with compiled(network):
        assert list(network.state_dict()) == names
        made = network["held"].part(network["first"](x))
        made.sum().backward()

    torch.testing.assert_close(made, plain)
    assert network["first"][0].weight.grad is not None
    assert not any("forward" in vars(module) for module in network.modules())


@pytest.mark.slow
def test_without_a_compiler_it_says_what_is_wanted(network, monkeypatch, tmp_path):
    from torch._inductor import config as inductor  # it loads for a second

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    without = inductor.patch({"cpp.cxx": ("no-such-compiler",)})

    with without, pytest.raises(SettingsError, match="cannot be compiled") as found, compiled(network):
        network["first"](torch.ones(1, 2))

    assert "C++ compiler" in str(found.value)
    assert "train.compile=false" in str(found.value)


@pytest.mark.slow
def test_other_errors_pass_through(network):
    with pytest.raises(RuntimeError, match="of its own"), compiled(network):
        raise RuntimeError("of its own")

    assert not any("forward" in vars(module) for module in network.modules())

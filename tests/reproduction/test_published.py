"""The paper's figures, as data."""

from __future__ import annotations

import json

import pytest
from tests.conftest import SHARED

from oddframe.reproduction.published import published_auc, published_millions, published_ratio
from oddframe.reproduction.rows import ROWS


def test_figures_stand_in_the_column_of_their_set():
    assert published_auc("table2", "dream-convlstm", "shanghaitech") == 79.5
    assert published_auc("table3", "mem-disc", "ucsd-ped1") == 83.9
    assert published_ratio("abnormal", "avenue") == 10.91
    assert published_millions("dream-unet") == 16.83


def test_a_dash_and_an_unknown_set_have_no_figure():
    assert published_auc("table2", "mlep", "ucsd-ped2") is None
    assert published_auc("table2", "dream-unet", "gate") is None


@pytest.mark.skipif(not (SHARED / "notes").is_dir(), reason="the notes with the printed figures are not here")
def test_all_figures_are_those_printed():
    printed = json.loads((SHARED / "notes" / "published.json").read_text("utf-8"))
    names = {"mem": "UNet+Mem", "disc": "UNet+Disc", "mem-disc": "UNet+Mem+Disc", "dual-disc": "UNet+DualMem+Disc"}
    kinds = ("ucsd-ped1", "ucsd-ped2", "avenue", "shanghaitech")
    for key, name in names.items():
        assert [published_auc("table3", key, kind) for kind in kinds] == printed["table_III_ablation_auc"]["rows"][name]
    ours = sorted(
        str([published_auc(table, row.key, kind) for kind in kinds])
        for table in ("table2", "table2_own_test")
        for row in ROWS["table2"]
        if any(published_auc(table, row.key, kind) is not None for kind in kinds)
    )
    assert ours == sorted(str(row) for row in printed["table_II_auc"]["rows"].values())

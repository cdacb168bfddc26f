import json
import sys
from pathlib import Path

import pytest

from benchmarks import streaming

pytestmark = pytest.mark.pipeline


def test_each_set_is_trained_on_from_disk_and_in_memory(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["streaming", "--shards", "6", "--memory-mb", "1"])
    monkeypatch.setattr(streaming, "SHARD", 300)
    streaming.main()
    result = json.loads(streaming.RESULTS.read_text())
    assert result["memory_mb"] == 1
    (row,) = result["rows"]
    assert row["images"] == 1800
    assert row["data_mb"] > 1
    for kind in ("streamed", "in_memory"):
        assert row[kind]["seconds"] > 0
        assert row[kind]["cpu_seconds"] > 0
        assert row[kind]["peak_mb"] > 100
    assert row["streamed"]["val_accuracy"] != row["in_memory"]["val_accuracy"], "another order"
    assert Path("models/model.keras").is_file(), "the project's own outputs are left alone"

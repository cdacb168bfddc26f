import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import transfer


def call(monkeypatch, folder):
    monkeypatch.setattr(sys, "argv", ["transfer", "--models", str(folder)])
    monkeypatch.setattr(transfer, "EACH", 1)


def networks(folder, count):
    for number in range(count):
        (folder / f"network{number}").mkdir(parents=True)
        shutil.copy("models/model.keras", folder / f"network{number}")
    return folder


def test_each_network_is_measured_on_each_set(project, monkeypatch):
    call(monkeypatch, networks(project / "results", 3))
    transfer.main()
    result = json.loads(transfer.RESULTS.read_text())
    assert list(result["accuracies"]) == ["network0", "network1", "network2"]
    assert result["images"]["drawings"] == 280
    assert set(result["correlations"].values()) == {None}, "three times the same network"
    accuracy = json.loads(Path("metrics/test.json").read_text())["accuracy"]
    assert result["accuracies"]["network0"]["test split"] == pytest.approx(accuracy, abs=1e-6)


def test_fewer_than_three_networks_are_one_line(project, monkeypatch, fails):
    folder = networks(project / "results", 2)
    call(monkeypatch, folder)
    assert f"2 networks in {folder}, three or more are needed: make compare trains them" in fails(transfer)


def test_the_correlation_is_that_of_the_ranks():
    accuracies = {name: {transfer.TEST: x, "drawings": y} for name, x, y in (("a", 1, 3), ("b", 2, 8), ("c", 5, 9))}
    assert transfer.correlation(accuracies, "drawings") == pytest.approx(1)

import json
import sys
from pathlib import Path

from benchmarks import inference


def test_each_format_is_measured(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["inference", "--rounds", "1"])
    monkeypatch.setattr(inference, "CALLS", 1)
    inference.main()
    result = json.loads(inference.RESULTS.read_text())
    assert list(result["latency_ms"]) == ["model.predict", "model.tflite", "model_int8.tflite", "model.onnx"]
    assert result["bytes"]["model.tflite"] == Path("models/model.tflite").stat().st_size

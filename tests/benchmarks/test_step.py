import json
import sys

import keras
import pytest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import step


def test_rates_and_operations_are_written(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["step", "--rounds", "1"])
    monkeypatch.setattr(step, "STEPS", 2)
    monkeypatch.setattr(step, "SIDE", 64)
    step.main()
    result = json.loads(step.RESULTS.read_text())
    assert result["step_gflops"] > 0
    assert result["products_gflops"]["median"] > 0
    assert any("MatMul" in name for name in result["operations_ms"])


def test_the_images_have_no_gradient():
    images = keras.Input((8, 8, 1))
    features = keras.layers.Conv2D(4, 3, strides=2, padding="same")(images)
    network = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(features)))
    assert step.multiplications(network) == 2 * 4 * 4 * 9 * 4 + 3 * 4 * 4 * 4 * 10


def test_operations_are_summed_by_kind():
    space = xplane_pb2.XSpace()
    plane = space.planes.add()
    line = plane.lines.add()
    names = ["net/conv1/Conv2D:Conv2D", "net/conv2/Conv2D:Conv2D", "ThreadpoolListener::Process", "EagerExecute: x"]
    for number, name in enumerate(names):
        plane.event_metadata[number].name = name
        line.events.add(metadata_id=number, duration_ps=2_000_000_000)
    assert step.operations(space) == {"Conv2D": pytest.approx(4.0)}

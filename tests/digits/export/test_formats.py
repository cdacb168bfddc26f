import os

import keras
import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter

from digits.core import paths
from digits.core.errors import UserError
from digits.export import backends, formats
from digits.models import keras_file
from digits.training import ensembles
from tests.digits.conftest import export_elsewhere, frames, tiny_network

EXACT = [paths.MODEL, paths.SAVED_MODEL, paths.LITERT, paths.ONNX]


@pytest.mark.parametrize("file", EXACT, ids=lambda path: path.name)
def test_each_format_answers_what_keras_answers(exported, network, file):
    images = frames(40)
    expected = keras_file.probabilities(network, images)
    assert len(set(expected.argmax(axis=1))) > 3, "else this says little"
    probabilities = backends.load(exported / file)(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_eight_bits_answer_nearly_that(exported, network):
    images = frames(200)
    expected = keras_file.probabilities(network, images)
    probabilities = backends.load(exported / paths.LITERT_INT8)(images)
    assert (probabilities.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.9
    assert np.abs(probabilities - expected).mean() < 0.03
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_eight_bits_are_eight_bits_at_both_ends(exported):
    interpreter = Interpreter(str(exported / paths.LITERT_INT8))
    interpreter.allocate_tensors()
    given, answered = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert given["dtype"] == answered["dtype"] == np.uint8
    assert given["quantization"] == (pytest.approx(1, rel=0.01), 0), "the raw bytes of an image"
    assert answered["quantization"] == (pytest.approx(1 / 256), 0)


def test_the_names_of_the_ends_are_those_of_the_card(exported):
    for file in (paths.LITERT, paths.LITERT_INT8):
        signatures = Interpreter(str(exported / file)).get_signature_list()
        assert signatures == {"serving_default": {"inputs": ["pixels"], "outputs": ["probabilities"]}}
    content = onnx.load(str(exported / paths.ONNX))
    onnx.checker.check_model(content, full_check=True)
    (given,), (answered,) = content.graph.input, content.graph.output
    assert (given.name, answered.name) == ("pixels", "probabilities")
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    sizes = [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim]
    assert sizes == ["batch", 28, 28, 1]


def contents(path):
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def test_written_twice_they_are_the_same_bytes(network, tmp_path):
    # The others name functions by how many the process has traced: see the next test.
    for name in ("first", "second"):
        formats.write_litert(tmp_path / name / "model.tflite", network)
        formats.write_litert_int8(tmp_path / name / "model_int8.tflite", network, frames(100, seed=1))
    for file in ("model.tflite", "model_int8.tflite"):
        assert contents(tmp_path / "first" / file) == contents(tmp_path / "second" / file), file


def test_another_process_writes_the_same_bytes(exported, tmp_path):
    # Python orders sets by hashes that differ from process to process, unless a seed is given.
    export_elsewhere(tmp_path, "2")
    for file in (*EXACT, paths.LITERT_INT8):
        assert contents(tmp_path / file) == contents(exported / file), file


def test_another_network_is_another_file(exported, tmp_path):
    other = tiny_network(seed=5)
    formats.write_saved_model(tmp_path / "saved_model", other)
    fingerprints = [
        (path / "fingerprint.pb").read_bytes() for path in (tmp_path / "saved_model", exported / paths.SAVED_MODEL)
    ]
    assert fingerprints[0] != fingerprints[1]
    formats.write_onnx(tmp_path / "model.onnx", other)
    assert (tmp_path / "model.onnx").read_bytes() != (exported / paths.ONNX).read_bytes()


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 20, 3)])
def test_other_shapes_of_images(tmp_path, shape):
    model = tiny_network(shape=shape, classes=3)
    images = np.random.default_rng(0).integers(0, 256, (6, *shape), np.uint8)
    formats.write_litert(tmp_path / "model.tflite", model)
    formats.write_litert_int8(tmp_path / "model_int8.tflite", model, images)
    formats.write_onnx(tmp_path / "model.onnx", model)
    expected = keras_file.probabilities(model, images)
    for name, tolerance in [("model.tflite", 1e-5), ("model.onnx", 1e-5), ("model_int8.tflite", 0.2)]:
        np.testing.assert_allclose(backends.load(tmp_path / name)(images), expected, atol=tolerance)


def unconvertible():
    pixels = keras.Input((4, 4, 1), dtype="uint8", name="pixels")
    squares = keras.ops.squeeze(keras.layers.Rescaling(1 / 255)(pixels), -1)
    values = keras.ops.svd(squares)[1]
    return keras.Model(pixels, keras.layers.Dense(3, activation="softmax")(values))


@pytest.mark.parametrize(
    "write",
    [
        formats.write_litert,
        lambda path, model: formats.write_litert_int8(path, model, np.zeros((2, 4, 4, 1), np.uint8)),
    ],
    ids=["float", "int8"],
)
def test_what_cannot_be_converted_is_told_and_leaves_what_was_there(tmp_path, write):
    path = tmp_path / "model.tflite"
    path.write_text("before")
    with pytest.raises(UserError, match="the network cannot be converted to LiteRT: ") as caught:
        write(path, unconvertible())
    assert "\n" not in str(caught.value)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["model.tflite"]


@pytest.mark.parametrize("write", [formats.write_saved_model, formats.write_onnx])
def test_nothing_half_written_is_left(tmp_path, monkeypatch, network, write):
    # Either is changed once more after TensorFlow or Keras wrote it: a failure there comes in the middle.
    started = []

    def fail(*_, **__):
        started.extend(tmp_path.glob("partial-*"))
        raise ZeroDivisionError

    monkeypatch.setattr(formats, "_rename", fail)
    monkeypatch.setattr(formats.hashlib, "sha256", fail)
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "model", network)
    assert started
    assert os.listdir(tmp_path) == []


def test_nothing_is_printed(tmp_path, network, capfd):
    formats.write_saved_model(tmp_path / "saved_model", network)
    formats.write_onnx(tmp_path / "model.onnx", network)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("members", [1, 2])
def test_eight_bits_are_integers_throughout(tmp_path, members):
    networks = [tiny_network(seed) for seed in range(members)]
    for number, network in enumerate(networks):
        network.name = f"member{number}"
    model = networks[0] if members == 1 else ensembles.average(networks, "ensemble", temperature=0.5)
    formats.write_litert_int8(tmp_path / "m.tflite", model, frames(60, seed=1))
    interpreter = Interpreter(str(tmp_path / "m.tflite"))
    interpreter.allocate_tensors()
    kinds = {np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}
    assert kinds <= {"uint8", "int8", "int32"}
    images = frames(100)
    classes = backends.load(tmp_path / "m.tflite")(images).argmax(axis=1)
    assert (classes == keras_file.probabilities(model, images).argmax(axis=1)).mean() > 0.85


def test_a_network_that_was_never_called_is_exported_too(tmp_path):
    pixels = keras.Input((28, 28, 1), dtype="uint8")
    answers = keras.layers.Softmax()(keras.layers.Dense(10)(keras.layers.Flatten()(pixels)))
    formats.write_onnx(tmp_path / "m.onnx", keras.Model(pixels, answers))
    assert backends.load(tmp_path / "m.onnx")(frames(3)).shape == (3, 10)

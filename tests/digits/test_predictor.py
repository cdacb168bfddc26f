import dataclasses
import hashlib
import threading

import numpy as np
import pytest

from digits import paths, predictor, runtimes
from digits.calibration import Decision
from digits.errors import UserError
from digits.predictor import NOTHING, Answer, Predictor
from tests.digits.conftest import CLASSES, about_it


def stroke(column=30):
    picture = np.full((60, 60), 255, np.uint8)
    picture[8:52, column : column + 5] = 0
    return picture


def answering(monkeypatch, tmp_path, network, **changes):
    """A predictor with a function in place of a model."""
    monkeypatch.setattr(runtimes, "load", lambda path, threads: network)
    path = tmp_path / paths.LITERT
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"model")
    about_it(**changes).write(tmp_path / paths.ABOUT)
    return Predictor(path, tmp_path / paths.ABOUT)


def certain(confidence, digit=7):
    """A network that answers the same to everything."""
    rest = np.full(10, (1 - confidence) / 9, np.float32)
    rest[digit] = confidence
    return lambda images: np.tile(rest, (len(images), 1))


@pytest.mark.parametrize(
    ("confidence", "verdict", "text"),
    [
        (0.95, "sure", "7 (95.0%)"),
        (0.99999, "sure", "7 (99.9%)"),
        (0.6, "not sure", "not sure: 7 (60%) or "),
        (0.3, "unknown", "not a digit, as far as I know (if it is one: 7, 30%)"),
    ],
)
def test_the_verdict_is_that_of_the_thresholds(monkeypatch, tmp_path, confidence, verdict, text):
    answer = answering(monkeypatch, tmp_path, certain(confidence))([stroke()])[0]
    assert answer.verdict == verdict
    assert answer.best == "7"
    assert answer.confidence == pytest.approx(confidence)
    assert list(answer.probabilities) == CLASSES
    assert answer.frame.shape == (28, 28)
    assert str(answer).startswith(text)


def test_where_nothing_is_drawn_the_network_is_not_asked(monkeypatch, tmp_path):
    def never(images):
        raise AssertionError

    (answer,) = answering(monkeypatch, tmp_path, never)([np.full((50, 50), 255, np.uint8)])
    assert answer.verdict == str(answer) == NOTHING
    assert answer.best is answer.frame is None
    assert (answer.probabilities, answer.confidence) == ({}, 0)


def test_answers_come_in_the_order_of_the_drawings(monkeypatch, tmp_path):
    seen = []

    def by_number(images):
        seen.append(images)
        return np.eye(10, dtype=np.float32)[1 : len(images) + 1]

    blank = np.full((60, 60), 255, np.uint8)
    found = answering(monkeypatch, tmp_path, by_number)([blank, stroke(), blank, 255 - stroke(9)])
    assert [answer.best for answer in found] == [None, "1", None, "2"]
    assert [images.shape for images in seen] == [(2, 28, 28, 1)], "one call for all"
    assert seen[0].dtype == np.uint8


def test_no_drawings_are_no_answers(monkeypatch, tmp_path):
    assert answering(monkeypatch, tmp_path, certain(0.9))([]) == []


def test_a_model_for_other_images_is_refused(monkeypatch, tmp_path):
    with pytest.raises(UserError, match=r"model\.tflite: a model for images of 8x8x3; drawings become 28x28x1"):
        answering(monkeypatch, tmp_path, certain(0.9), image_shape=(8, 8, 3))


def test_the_answer_is_looked_for_where_the_ink_is(monkeypatch, tmp_path):
    # A network that counts the light in one corner.
    def corner(images):
        share = images[:, 4:11, 4:11, 0].mean(axis=(1, 2)) / 255
        return np.stack([share, 1 - share, *np.zeros((8, len(images)))], axis=1).astype(np.float32)

    frame = np.zeros((28, 28), np.uint8)
    frame[4:11, 4:11] = frame[18:24, 18:24] = 255
    found = answering(monkeypatch, tmp_path, corner).saliency(frame)
    assert found.shape == (28, 28)
    assert found.dtype == np.float32
    assert found.min() == 0
    assert found.max() == pytest.approx(1)
    assert found[4:11, 4:11].min() > 0.3
    assert found[15:, 15:].max() < 0.02


def test_where_nothing_matters_nothing_is_shown(monkeypatch, tmp_path):
    found = answering(monkeypatch, tmp_path, certain(0.9)).saliency(np.full((28, 28), 200, np.uint8))
    assert found.max() == 0


@pytest.mark.parametrize("file", [paths.LITERT, paths.LITERT_INT8, paths.ONNX, paths.MODEL], ids=lambda p: p.name)
def test_real_models(exported, file):
    model = Predictor(exported / file, exported / paths.ABOUT)
    answer = model([stroke()])[0]
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert 0 <= model.saliency(answer.frame).min() <= model.saliency(answer.frame).max() <= 1 + 1e-6


def test_several_threads_may_ask(exported):
    model = Predictor(exported / paths.LITERT, exported / paths.ABOUT)
    drawings = [stroke(column) for column in (10, 20)] + [stroke().T.copy()]
    expected = [answer.probabilities for answer in model(drawings)]
    found = {}

    def ask(number):
        found[number] = [model([drawings[number % 3]])[0].probabilities for _ in range(10)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answers in found.items():
        for answer in answers:
            assert answer == pytest.approx(expected[number % 3], abs=1e-5)
    assert len(found) == 6


def test_the_accuracy_is_that_of_the_very_file(monkeypatch, tmp_path):
    model = answering(monkeypatch, tmp_path, certain(0.9))
    accuracy, low, high = model.test_accuracy
    assert accuracy == 0.9
    assert low < 0.9 < high
    (tmp_path / "metrics").mkdir()
    (tmp_path / paths.EXPORT_METRICS).write_text('{"model.tflite": {"accuracy": 0.875}}')
    assert model.test_accuracy[0] == 0.875
    (tmp_path / paths.EXPORT_METRICS).write_text('{"model.onnx": {"accuracy": 0.5}}')
    assert model.test_accuracy[0] == 0.9


def test_the_digest_is_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    assert predictor.digest(tmp_path / "a") == hashlib.sha256(b"one").hexdigest()
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "z").write_bytes(b"two")
    (tmp_path / "folder" / "b").write_bytes(b"one")
    assert predictor.digest(tmp_path / "folder") == hashlib.sha256(b"onetwo").hexdigest()


def place(folder, *files, **changes):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    about_it(**changes).write(folder / paths.ABOUT)


def test_the_catalogue_holds_what_is_there(tmp_path):
    assert predictor.catalogue(tmp_path) == {}
    place(tmp_path, paths.MODEL, paths.ONNX, paths.LITERT)
    place(tmp_path / "runs/embedded", paths.LITERT_INT8, dataset="digits")
    compared = tmp_path / "compare/results/resnet"
    compared.mkdir(parents=True)
    about_it(recipe="resnet").write(compared / "about.json")
    (compared / "model.keras").touch()
    found = predictor.catalogue(tmp_path)
    assert list(found) == [
        "tiny on mnist (LiteRT)",
        "tiny on mnist (ONNX)",
        "tiny on mnist (Keras)",
        "tiny on digits (LiteRT, 8-bit integers, runs/embedded)",
        "resnet on mnist (Keras, from make compare)",
    ]
    for model, described in found.values():
        assert model.is_file()
        assert described.is_file()
    assert found["tiny on mnist (ONNX)"] == (tmp_path / paths.ONNX, tmp_path / paths.ABOUT)


def test_a_named_model_goes_with_the_description_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, other = tmp_path / "some" / "model.onnx", tmp_path / "other.json"
    assert predictor.chosen(model) == (model, tmp_path / "some" / "about.json")
    assert predictor.chosen(model, other) == (model, other)
    with pytest.raises(UserError, match=r"no trained model here; run `make repro`"):
        predictor.chosen(None)
    place(tmp_path, paths.ONNX, paths.LITERT)
    assert predictor.chosen(None) == (paths.LITERT, paths.ABOUT)


def test_a_verdict_does_not_depend_on_the_array_type():
    answer = Answer("not sure", {"a": 0.6, "b": 0.3, "c": 0.1}, None)
    assert str(answer) == "not sure: a (60%) or b (30%)"
    assert dataclasses.replace(answer, verdict="sure").best == "a"
    assert Decision(sure=0.6, known=0.1)(answer.confidence) == "sure"


def test_of_equal_probabilities_best_and_text_name_the_same():
    answer = Answer("not sure", {"0": 0.0, "1": 0.5, "7": 0.5}, np.zeros((28, 28), np.uint8))
    assert answer.best == "1"
    assert str(answer).startswith("not sure: 1 (50%) or 7")


def test_a_run_beside_the_pipeline_does_not_take_its_place(tmp_path):
    for folder in (tmp_path, tmp_path / "runs/embedded"):
        (folder / "models").mkdir(parents=True)
        (folder / paths.LITERT).write_bytes(b"model")
        about_it().write(folder / paths.ABOUT)
    found = predictor.catalogue(tmp_path)
    assert [model for model, _ in found.values()] == [
        tmp_path / paths.LITERT,
        tmp_path / "runs/embedded" / paths.LITERT,
    ]
    assert len(found) == 2

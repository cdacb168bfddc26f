import dataclasses
import shutil
import threading

import numpy as np
import pytest

from digits.core import paths
from digits.core.errors import UserError
from digits.drawing.framing import Digit
from digits.export import backends, formats, inventory
from digits.metrics.decision import Decision
from digits.serving.predictor import NOTHING, SEVERAL, Answer, Predictor, answers, frames_to_read
from digits.serving.saliency import by_occlusion
from tests.digits.conftest import CLASSES, about_it, tiny_network
from tests.fuzz.mutations import flips

FRAME = np.zeros((28, 28), np.uint8)
FRAME[4:24, 12:16] = 255


def stroke(column=30):
    picture = np.full((60, 60), 255, np.uint8)
    picture[8:52, column : column + 5] = 0
    return picture


def answering(monkeypatch, tmp_path, network, **changes):
    """A predictor with a function in place of a model."""
    monkeypatch.setattr(backends, "load", lambda path, threads: network)
    path = tmp_path / paths.LITERT
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"model")
    about_it(**changes).write(tmp_path / paths.ABOUT)
    inventory.write(tmp_path / paths.FORMATS, {path.name: 0.875})
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
        (0.99999, "sure", "7 (>99.9%)"),
        (0.6, "not sure", "not sure: 7 (60.0%) or "),
        (0.3, "unknown", "not a digit, as far as I know; most like 7 (30.0%)"),
    ],
)
def test_the_verdict_is_that_of_the_thresholds(monkeypatch, tmp_path, confidence, verdict, text):
    answer = answering(monkeypatch, tmp_path, certain(confidence))(stroke())
    assert answer.verdict == verdict
    assert answer.best == "7"
    assert answer.confidence == pytest.approx(confidence)
    assert list(answer.probabilities) == CLASSES
    assert answer.frame.shape == (28, 28)
    assert str(answer).startswith(text)


def test_where_nothing_is_drawn_the_network_is_not_asked(monkeypatch, tmp_path):
    def never(images):
        assert not images.any(), "a black frame, when it is loaded"
        return np.full((1, 10), 0.1, np.float32)

    model, blank = answering(monkeypatch, tmp_path, never), np.full((50, 50), 255, np.uint8)
    answer = model(blank)
    assert answer.verdict == str(answer) == NOTHING
    assert answer.best is answer.frame is None
    assert (answer.probabilities, answer.confidence, answer.boxes) == ({}, 0, ())
    assert model.each(blank) == []


def row(*places, shape=(200, 400)):
    """Strokes on white: top, left and width of each."""
    picture = np.full(shape, 255, np.uint8)
    for top, left, width in places:
        picture[top : top + 60, left : left + width] = 0
    return picture


def test_of_several_digits_none_is_guessed(monkeypatch, tmp_path):
    def never(images):
        assert not images.any(), "a black frame, when it is loaded"
        return np.full((1, 10), 0.1, np.float32)

    answer = answering(monkeypatch, tmp_path, never)(row((70, 60, 10), (70, 200, 20)))
    assert answer.verdict == str(answer) == SEVERAL
    assert answer.best is answer.frame is None
    assert answer.probabilities == {}
    assert np.array(answer.boxes) == pytest.approx(
        np.array([[200 / 400, 70 / 200, 220 / 400, 130 / 200], [60 / 400, 70 / 200, 70 / 400, 130 / 200]]), abs=0.02
    )


def test_each_digit_is_read_line_by_line_from_left_to_right(monkeypatch, tmp_path):
    seen = []

    def by_number(images):
        seen.append(images)
        return np.eye(10, dtype=np.float32)[1 : len(images) + 1]

    model = answering(monkeypatch, tmp_path, by_number)
    seen.clear()
    answers = model.each(row((20, 60, 10), (25, 200, 20), (110, 100, 20), (105, 260, 10)))
    assert [answer.best for answer in answers] == ["1", "2", "3", "4"]
    assert [answer.boxes[0][0] for answer in answers] == pytest.approx(
        [60 / 400, 200 / 400, 100 / 400, 260 / 400], abs=0.02
    )
    assert [len(answer.boxes) for answer in answers] == [1] * 4
    assert [images.shape for images in seen] == [(4, 28, 28, 1)], "one call for all"
    assert all(np.array_equal(answer.frame, image[..., 0]) for answer, image in zip(answers, seen[0], strict=True))


def test_answers_come_in_the_order_of_the_pictures():
    digits = [Digit(np.full((28, 28), number, np.uint8), (0, 0, number / 4, 1)) for number in range(4)]
    pictures = [[], digits[:1], digits[1:3], [], digits[3:]]
    frames = frames_to_read(pictures)
    assert [frame[0, 0] for frame in frames] == [0, 3]
    told = answers(pictures, [Answer("sure", {str(frame[0, 0]): 1.0}, frame) for frame in frames])
    assert [answer.verdict for answer in told] == [NOTHING, "sure", SEVERAL, NOTHING, "sure"]
    assert [answer.best for answer in told] == [None, "0", None, None, "3"]
    assert [[box[2] for box in answer.boxes] for answer in told] == [[], [0], [0.25, 0.5], [], [0.75]]


def test_frames_are_answered_in_their_order_by_one_call(monkeypatch, tmp_path):
    seen = []

    def by_number(images):
        seen.append(images)
        return np.eye(10, dtype=np.float32)[1 : len(images) + 1]

    model = answering(monkeypatch, tmp_path, by_number)
    seen.clear()
    assert [answer.best for answer in model.answers([FRAME, 255 - FRAME])] == ["1", "2"]
    assert [images.shape for images in seen] == [(2, 28, 28, 1)], "one call for all"
    assert seen[0].dtype == np.uint8


def test_no_frames_are_no_answers(monkeypatch, tmp_path):
    assert answering(monkeypatch, tmp_path, certain(0.9)).answers([]) == []


def test_a_model_for_other_images_is_refused(monkeypatch, tmp_path):
    with pytest.raises(UserError, match=r"model\.tflite: a model for images of 8x8x3; drawings become 28x28x1"):
        answering(monkeypatch, tmp_path, certain(0.9), image_shape=(8, 8, 3))


@pytest.mark.parametrize("file", [paths.LITERT, paths.LITERT_INT8, paths.ONNX, paths.MODEL], ids=lambda p: p.name)
def test_real_models(exported, file):
    model = Predictor(exported / file, exported / paths.ABOUT)
    answer = model(stroke())
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert (
        0
        <= by_occlusion(model.probabilities, answer.frame).min()
        <= by_occlusion(model.probabilities, answer.frame).max()
        <= 1 + 1e-6
    )


def test_several_threads_may_ask(exported):
    model = Predictor(exported / paths.LITERT, exported / paths.ABOUT)
    drawings = [stroke(column) for column in (10, 20)] + [stroke().T.copy()]
    expected = [model(drawing).probabilities for drawing in drawings]
    by_thread = {}

    def ask(number):
        by_thread[number] = [model(drawings[number % 3]).probabilities for _ in range(10)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, probabilities in by_thread.items():
        for each in probabilities:
            assert each == pytest.approx(expected[number % 3], abs=1e-5)
    assert len(by_thread) == 6


def test_the_accuracy_is_that_of_the_very_file(monkeypatch, tmp_path):
    model = answering(monkeypatch, tmp_path, certain(0.9))
    accuracy, low, high = model.test_accuracy
    assert accuracy == 0.875
    assert low < 0.875 < high
    (tmp_path / paths.FORMATS).write_text('{"model.onnx": {"accuracy": 0.5}}')
    assert model.test_accuracy[0] == 0.9, "that of the Keras model"


def test_words_name_no_digit_where_there_is_none():
    probabilities = {"7": 0.6, "1": 0.4}
    assert Answer("sure", probabilities, None).words() == "7"
    assert Answer("not sure", probabilities, None).words(lambda name: f"<{name}>") == "not sure: <7> or <1>"
    assert Answer("unknown", probabilities, None).words() == "not a digit, as far as I know"
    assert Answer(NOTHING, {}, None).words() == NOTHING
    assert Answer(SEVERAL, {}, None).words() == SEVERAL


def test_a_verdict_does_not_depend_on_the_array_type():
    answer = Answer("not sure", {"a": 0.6, "b": 0.3, "c": 0.1}, None)
    assert str(answer) == "not sure: a (60.0%) or b (30.0%)"
    assert dataclasses.replace(answer, verdict="sure").best == "a"
    assert Decision(sure=0.6, known=0.1)(answer.confidence) == "sure"


def test_of_equal_probabilities_best_and_text_name_the_same():
    answer = Answer("not sure", {"0": 0.0, "1": 0.5, "7": 0.5}, np.zeros((28, 28), np.uint8))
    assert answer.best == "1"
    assert str(answer).startswith("not sure: 1 (50.0%) or 7")


@pytest.fixture
def copied(exported, tmp_path):
    """A copy of the models to damage."""
    shutil.copytree(exported / "models", tmp_path / "models")
    return tmp_path


FILES = [paths.LITERT, paths.LITERT_INT8, paths.ONNX, paths.MODEL, paths.SAVED_MODEL]


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.name)
def test_a_damaged_model_is_refused_by_name_before_it_is_run(copied, monkeypatch, file):
    monkeypatch.setattr(backends, "load", None)
    path = copied / file if (copied / file).is_file() else copied / file / "saved_model.pb"
    content = path.read_bytes()
    for _, damaged in flips(content, 20):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=rf"{file.name}: damaged, or another file than was measured"):
            Predictor(copied / file, copied / paths.ABOUT)


def test_a_swapped_model_is_refused_unless_it_is_allowed(copied):
    shutil.copy(copied / paths.LITERT_INT8, copied / paths.LITERT)
    with pytest.raises(UserError, match=r"model\.tflite: damaged, or another file.*say --allow to run it anyway"):
        Predictor(copied / paths.LITERT, copied / paths.ABOUT)
    assert Predictor(copied / paths.LITERT, copied / paths.ABOUT, checked=False)(stroke()).probabilities


def test_changed_thresholds_are_refused(copied):
    about = copied / paths.ABOUT
    about.write_text(about.read_text().replace('"sure": 0.9', '"sure": 0.8'))
    with pytest.raises(UserError, match=r"about\.json: damaged, or another file"):
        Predictor(copied / paths.LITERT, about)


@pytest.mark.parametrize("classes", [list("abc"), [*CLASSES, "10"], list("ab")])
@pytest.mark.parametrize("file", [paths.LITERT, paths.LITERT_INT8, paths.ONNX, paths.MODEL], ids=lambda p: p.name)
def test_classes_that_are_not_those_of_the_network_are_told_when_it_is_loaded(copied, file, classes):
    about_it(classes=classes).write(copied / paths.ABOUT)
    with pytest.raises(
        UserError, match=rf"{file.name}: answers an array of shape \(1, 10\).* name {len(classes)} classes"
    ):
        Predictor(copied / file, copied / paths.ABOUT, checked=False)


def test_a_network_for_other_images_is_told_when_it_is_loaded(copied):
    formats.write_litert(copied / paths.LITERT, tiny_network(shape=(32, 20, 3)))
    with pytest.raises(UserError, match=r"model\.tflite: takes no images of 28x28x1 \("):
        Predictor(copied / paths.LITERT, copied / paths.ABOUT, checked=False)

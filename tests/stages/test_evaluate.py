import csv
import json
from pathlib import Path

import keras
import numpy as np

from digits.splits import tfrecords
from stages import evaluate


def test_the_figures_are_those_of_the_model_on_the_test_split(project):
    test = tfrecords.read(Path("data/tfrecords"), "test")
    loss, accuracy, _ = keras.models.load_model("models/model.keras").evaluate(test.images, test.labels, verbose=0)
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert abs(metrics["accuracy"] - accuracy) < 1e-5
    assert abs(metrics["loss"] - loss) < 1e-4
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]
    assert metrics["total"] == 360
    assert list(metrics["per_class"]) == list("0123456789")
    assert 0 <= metrics["ece"] <= 1


def test_a_prediction_for_each_image(project):
    with open("plots/predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = tfrecords.read(Path("data/tfrecords"), "test").labels
    assert [int(row["actual"]) for row in rows] == labels.tolist()
    correct = sum(row["actual"] == row["predicted"] for row in rows)
    assert correct == json.loads(Path("metrics/test.json").read_text())["correct"]


def test_the_showcase_has_samples_and_the_hardest_mistakes(project):
    images = tfrecords.read(Path("data/tfrecords"), "test").images
    with np.load("plots/showcase.npz") as showcase, open("plots/predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
        assert showcase["samples_index"].tolist() == [0, 1, 2, 3, 4]
        mistakes = showcase["mistakes_index"]
        for kind in ("samples", "mistakes"):
            np.testing.assert_array_equal(showcase[f"{kind}_images"], images[showcase[f"{kind}_index"]])
    losses = [float(rows[place]["loss"]) for place in mistakes]
    assert losses == sorted(losses, reverse=True)
    assert all(rows[place]["actual"] != rows[place]["predicted"] for place in mistakes)


def test_the_thresholds_are_those_of_the_validation_split(project):
    validation = tfrecords.read(Path("data/tfrecords"), "validation")
    probabilities = keras.models.load_model("models/model.keras").predict(validation.images, verbose=0)
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != validation.labels
    decision = json.loads(Path("models/about.json").read_text())["decision"]
    # max_error_when_sure: 0.001 of 144 images allows no mistake among the sure ones.
    assert not wrong[confidence >= decision["sure"] + 1e-5].any()
    assert decision["known"] <= decision["sure"]
    assert json.loads(Path("metrics/test.json").read_text())["decision"]["sure"] == decision["sure"]


def test_an_uncalibrated_model_has_the_same_error_before_and_after(project):
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert json.loads(Path("metrics/train.json").read_text())["temperature"] == 1
    assert abs(metrics["ece_uncalibrated"] - metrics["ece"]) < 1e-5


def test_a_trained_temperature_is_taken_out_again(project):
    # The model is the same, so its logits are now said to have been divided by 2.
    figures = json.loads(Path("metrics/train.json").read_text())
    Path("metrics/train.json").write_text(json.dumps({**figures, "temperature": 2.0}))
    evaluate.main()
    metrics = json.loads(Path("metrics/test.json").read_text())
    assert abs(metrics["ece_uncalibrated"] - metrics["ece"]) > 1e-3


def test_the_trade_off_begins_with_all_answers(project):
    with open("plots/refusal.csv", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows[0]["refused"] == 0
    assert [row["refused"] for row in rows] == sorted(row["refused"] for row in rows)


def test_the_gate(project, fails, set_params):
    Path("metrics/test.json").unlink()
    set_params("tiny: {digits: 0.3}", "tiny: {digits: 1.0}")
    assert "is below evaluate.min_accuracy.tiny.digits = 1.0; see metrics/test.json" in fails(evaluate)
    assert Path("metrics/test.json").exists(), "the figures are there to read"


def test_a_dataset_without_a_gate_passes_and_says_so(project, set_params, capsys):
    set_params("tiny: {digits: 0.3}", "tiny: {digitz: 1.0}")
    evaluate.main()
    assert "no gate: evaluate.min_accuracy.tiny.digits is not set" in capsys.readouterr().out


def test_the_table_is_printed(project, capsys):
    evaluate.main()
    out = capsys.readouterr().out
    assert "95 % interval" in out
    assert "precision" in out


def test_a_damaged_model(project, fails):
    path = Path("models/model.keras")
    path.write_bytes(path.read_bytes()[:-100])
    assert "models/model.keras: not readable as a Keras model" in fails(evaluate)


def test_a_missing_model(project, fails):
    Path("models/model.keras").unlink()
    assert "models/model.keras: No such file or directory; run `dvc repro`" in fails(evaluate)

"""Paths of all inputs and outputs, relative to the project's root; `dvc.yaml` names the same paths."""

from pathlib import Path

PARAMS = Path("params.yaml")

RAW = Path("data/raw")
TFRECORDS = Path("data/tfrecords")

MODEL = Path("models/model.keras")
ABOUT = Path("models/about.json")  # the model's metadata: classes, image shape, thresholds, test accuracy
SAVED_MODEL = Path("models/saved_model")
LITERT = Path("models/model.tflite")
LITERT_INT8 = Path("models/model_int8.tflite")
ONNX = Path("models/model.onnx")
FORMATS = Path("models/formats.json")  # SHA-256 and test accuracy of each model file
MODEL_CARD = Path("models/README.md")
CHECKPOINT = Path("models/checkpoint.npz")  # of an unfinished training; not an output of any stage

HEADLINE = Path("metrics/headline.json")  # the figures to compare runs by; the others are the details
DATA_METRICS = Path("metrics/data.json")
TRAIN_METRICS = Path("metrics/train.json")
TEST_METRICS = Path("metrics/test.json")
ROBUSTNESS_METRICS = Path("metrics/robustness.json")
EXPORT_METRICS = Path("metrics/export.json")

DRAWINGS = Path("drawings/test.json")  # committed, as strokes
PRACTICE_DRAWINGS = Path("drawings/validation.json")  # in another alphabet: for choices, and to learn from
DRAWN = Path("data/drawn")  # drawings corrected on the page; not an output of any stage

HISTORY = Path("plots/history.csv")
PREDICTIONS = Path("plots/predictions.csv")
PER_CLASS = Path("plots/per_class.csv")
CALIBRATION = Path("plots/calibration.csv")
REFUSAL = Path("plots/refusal.csv")
ROBUSTNESS = Path("plots/robustness.csv")
STRESSED = Path("plots/stressed.npz")
SHOWCASE = Path("plots/showcase.npz")
ARCHITECTURE = Path("plots/architecture.dot")
SUMMARY = Path("plots/summary.txt")
PLOTS = Path("plots")

LOGS = Path("logs")  # of TensorBoard; not an output of any stage

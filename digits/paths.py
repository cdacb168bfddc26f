"""Where the stages read and write, from the project's root; `dvc.yaml` names the same places."""

from pathlib import Path

PARAMS = Path("params.yaml")

RAW = Path("data/raw")
TFRECORDS = Path("data/tfrecords")

MODEL = Path("models/model.keras")
CHECKPOINT = Path("models/checkpoint.npz")  # of an unfinished training; no output of a stage

DATA_METRICS = Path("metrics/data.json")
TRAIN_METRICS = Path("metrics/train.json")
TEST_METRICS = Path("metrics/test.json")

HISTORY = Path("plots/history.csv")
PREDICTIONS = Path("plots/predictions.csv")
PER_CLASS = Path("plots/per_class.csv")
CALIBRATION = Path("plots/calibration.csv")
SHOWCASE = Path("plots/showcase.npz")
ARCHITECTURE = Path("plots/architecture.dot")
SUMMARY = Path("plots/summary.txt")
PLOTS = Path("plots")

LOGS = Path("logs")  # TensorBoard's; no output of a stage

"""Paths of the comparison, relative to the project's root; `compare/pipeline.yaml` names the same paths."""

from pathlib import Path

RESULTS = Path("compare/results")  # a folder per recipe
COST = Path("compare/cost")  # a file per recipe; separate from the results, because the seconds differ from run to run
CHECKPOINTS = Path("compare/checkpoints")  # of unfinished trainings; not an output

PUBLISHED = Path("compare/published.yaml")
SEEDS = Path("benchmarks/seeds")

REPORT = Path("compare/REPORT.md")
METRICS = Path("compare/metrics.json")
PLOTS = Path("compare/plots")

MODEL, HISTORY, PREDICTIONS, SCORES = "model.keras", "history.csv", "predictions.csv", "scores.json"
ABOUT = "about.json"  # the model's metadata
FORMATS = "formats.json"  # checksums of both, and the accuracy

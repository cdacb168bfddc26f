"""Where the comparison reads and writes, from the project's root; `compare/dvc.yaml` names the same places."""

from pathlib import Path

RESULTS = Path("compare/results")  # a folder a recipe
COST = Path("compare/cost")  # a file a recipe; apart from the results, because no two runs take the same seconds
CHECKPOINTS = Path("compare/checkpoints")  # of unfinished trainings; no output

PUBLISHED = Path("compare/published.yaml")
SEEDS = Path("benchmarks/seeds")

REPORT = Path("compare/REPORT.md")
METRICS = Path("compare/metrics.json")
PLOTS = Path("compare/plots")

MODEL, HISTORY, PREDICTIONS, SCORES = "model.keras", "history.csv", "predictions.csv", "scores.json"
ABOUT = "about.json"  # what a user of the model must know

import json
from pathlib import Path

import pytest

from benchmarks import machine, report

SPREAD = {"n": 3, "median": 2.0, "min": 1.0, "max": 3.0}
ROUND = {
    "seed": 20,
    "published_seconds": 500.0,
    "published_test_accuracy": 0.9951,
    "seconds": 50.0,
    "test_accuracy": 0.9957,
}
RESULTS = {
    "training_time": {"recipe": "fast_cnn", "published_epochs": 10, "rounds": [ROUND], "ratio": SPREAD},
    "input": {
        "recipe": "fast_cnn",
        "images_per_second": SPREAD,
        "images_per_second_all_moved": SPREAD,
        "waiting": {**SPREAD, "median": 0.01},
        "step_ms": SPREAD,
        "step_with_input_ms": {**SPREAD, "median": 2.1},
    },
    "step": {
        "recipe": "fast_cnn",
        "batch_size": 256,
        "million_multiplications": 4.5,
        "step_ms": SPREAD,
        "step_gflops": 1.2,
        "products_gflops": SPREAD,
        "operations_ms": {"Conv2D": 3.0, "MatMul": 1.0},
    },
    "precision": {
        "recipe": "fast_cnn",
        "runs": {"float32, all": [{"validation_accuracy": 0.99, "test_accuracy": value} for value in (0.98, 0.99)]},
        "seconds": {"float32, all": SPREAD},
    },
    "inference": {
        "recipe": "fast_cnn",
        "latency_ms": {"model.predict": {**SPREAD, "median": 60.0}, "model.tflite": SPREAD},
        "bytes": {"model.tflite": 1234},
    },
    "idle_repro": {"stages": 8, "seconds": {"ours": SPREAD, "empty": SPREAD}, "ratio": SPREAD},
    "streaming": {
        "memory_mb": 100,
        "rows": [
            {
                "images": 1_000_000,
                "data_mb": 838.0,
                "streamed": {"peak_mb": 777.6, "seconds": 37.7, "cpu_seconds": 50.2},
                "in_memory": {"peak_mb": 4071.3, "seconds": 69.4, "cpu_seconds": 80.1},
            }
        ],
    },
    "transfer": {
        "images": {"test split": 10000, "drawings": 280},
        "accuracies": {"tiny": {"test split": 0.9, "drawings": 0.85}},
        "correlations": {"drawings": 0.5},
    },
}
SEEDS = {
    "recipe": "tiny",
    "machine": {"processor": "x", "cores": 2, "python": "3.11"},
    "summary": {
        name: {**SPREAD, "mean": 0.5, "sd": 0.001}
        for name in ("test_accuracy", "validation_accuracy", "drawings_accuracy")
    },
    "runs": [{"training_seconds": 1.0, "test_accuracy": 0.5}, {"training_seconds": 3.0, "test_accuracy": 0.6}],
}


def write(name, content):
    path = Path("benchmarks", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_each_measurement_has_its_section(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in RESULTS.items():
        write(f"results/{name}.json", {**content, "machine": machine.describe()})
    write("seeds/tiny.json", SEEDS)
    report.main()
    text = report.RESULTS.read_text()
    for line in (
        "| 20 | 500 s | 99.51% | 50 s | 99.57% | 10.0 |",
        "(+5%)",
        "for 1.0% (",
        "4.5 million multiply-adds: 1 GFLOP/s, 60% of what",
        "| `Conv2D` | 3.00 | 75% |",
        "| `float32, all` | 2 (1 to 3, n = 3) | 99.00% ± 0.00 | 98.50% ± 0.71 |",
        "| `model.tflite` | 2.000 (1.000 to 3.000, n = 3) | 30 | 1,234 |",
        "ratio 2.00 (1.00 to 3.00, n = 3).",
        "| 1,000,000 | 838 MB | 778 | 38 | 50 | 4,071 | 69 | 80 |",
        "| recipe | test split (10,000) | drawings (280) |",
        "| `tiny` | 90.00% | 85.00% |",
        "| rank correlation | - | 0.50 |",
        "| `tiny` | 2 | **50.00%** ± 0.10 | 100.00% to 300.00% | 50.00% ± 0.10 | 50.00% ± 0.10 | - | 2 s |",
    ):
        assert line in text
    assert set(RESULTS) == set(report.SECTIONS)


@pytest.mark.parametrize(("accuracy", "mark"), [(0.5, ""), (0.51, " *")])
def test_seeds_of_another_version_of_the_recipe_are_marked(accuracy, mark):
    _, table, *notes, _ = report.seeds([SEEDS], {"tiny": {"test_accuracy": accuracy}})
    assert f"| `tiny`{mark} | 2 |" in table
    assert ["Of other sources or settings" in note for note in notes] == [True] * bool(mark)


def test_what_was_not_measured_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report.main()
    assert "##" not in report.RESULTS.read_text()


def test_fewer_epochs_of_the_published_network_are_told():
    text = "".join(report.training_time({**RESULTS["training_time"], "published_epochs": 2}))
    assert "Measured with 2 epochs and scaled to ten; its accuracy is that of 2." in text

from compare import markdown


def row(name, accuracy=0.98, **published):
    return {
        "recipe": name,
        "accuracy": accuracy,
        "accuracy_low": accuracy - 0.01,
        "accuracy_high": accuracy + 0.01,
        "loss": 0.0512,
        "ece": 0.01,
        "validation_accuracy": accuracy + 0.002,
        "validation_low": accuracy - 0.02,
        "validation_high": accuracy + 0.015,
        "training_accuracy": 0.99,
        "weights": 1234567,
        "epochs": 3,
        "bytes": 4_567_890,
        "seconds": 61.4,
        "published": published,
    }


def report(*rows, **changes):
    arguments = {
        "dataset": "mnist",
        "counts": {"train": 54000, "validation": 6000, "test": 10000},
        "machines": {"2 cores of a processor"},
        "seeds": {},
        "p_values": {("ours", "theirs"): 0.0004},
        "wrong_by_all": 7,
    }
    return markdown.report(rows, **{**arguments, **changes})


ROWS = (row("ours"), row("theirs", 0.96, test_accuracy=0.9655, differs="Another split."))


def test_a_line_a_recipe_with_the_published_figure_and_the_difference():
    lines = report(*ROWS).splitlines()
    ours = "`ours`|**98.00%** (97.00% to 99.00%)|98.20% (96.00% to 99.50%)|0.0512|1,234,567|4.57 MB|61 s|-|-"
    assert f"| {ours.replace('|', ' | ')} |" in lines
    assert any(line.startswith("| `theirs`") and line.endswith("| 96.55% | -0.55 points |") for line in lines)


def test_the_best_is_chosen_on_validation():
    best_on_test = row("lucky", 0.99) | {"validation_accuracy": 0.5}
    assert "Best on the validation split: `ours`" in report(row("ours"), best_on_test)


def test_differences_are_told_or_not():
    assert "All differences are significant." in report(*ROWS)
    assert "| `ours` | **< 0.001** |" in report(*ROWS)
    assert "No significant difference: `ours` and `theirs`." in report(*ROWS, p_values={("ours", "theirs"): 0.2})


def test_seeds_beside_the_published_figure():
    def seeds(low, high):
        spread = {"mean": (low + high) / 2, "sd": 0.001, "min": low, "max": high}
        return {"theirs": {"runs": [{}] * 5, "summary": {"test_accuracy": spread, "validation_accuracy": spread}}}

    for (low, high), where in {(0.96, 0.97): "within", (0.97, 0.98): "below", (0.95, 0.96): "above"}.items():
        text = report(*ROWS, seeds=seeds(low, high))
        assert f"The published 96.55% of `theirs` lies {where} the range of 5 seeds." in text
    assert "Over seeds" not in report(*ROWS)


def test_what_differs_from_the_originals():
    assert "- `theirs`: Another split." in report(*ROWS)
    assert "originals" not in report(row("ours"), row("other"))


def test_each_published_figure_stands_beside_ours():
    theirs = {
        "test_accuracy": 0.96,
        "validation_accuracy": 0.97,
        "training_accuracy": 0.98,
        "test_loss": 0.04,
        "seconds": 99,
    }
    lines = report(row("ours", **theirs)).splitlines()
    assert [line for line in lines if line.startswith("| `ours` | ") and line.count("|") == 5] == [
        "| `ours` | test accuracy | 96.00% | 98.00% |",
        "| `ours` | validation accuracy | 97.00% | 98.20% |",
        "| `ours` | training accuracy | 98.00% | 99.00% |",
        "| `ours` | test loss | 0.0400 | 0.0512 |",
        "| `ours` | seconds of training | 99 | 61 |",
    ]


def test_one_recipe_has_nothing_to_be_told_apart_from():
    assert "McNemar" not in report(row("alone"), p_values={})


def test_metrics_hold_the_published_figure_where_there_is_one():
    assert markdown.metrics(ROWS[1])["above_published"] == 0.96 - 0.9655
    assert "published_accuracy" not in markdown.metrics(ROWS[0])

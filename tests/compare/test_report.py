import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from compare import report, run
from digits.core.errors import UserError
from tests.conftest import ROOT, edit_params


@pytest.fixture(scope="module")
def measured(finished_project, tmp_path_factory):
    """Two recipes of the embedded set, measured."""
    folder = shutil.copytree(finished_project, tmp_path_factory.mktemp("measured") / "project")
    edit_params(folder, ("recipes: [fast_cnn,", "recipes: [tiny, mlp_dropout]\n  # [fast_cnn,"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("tiny", "mlp_dropout"):
            patch.setattr(sys, "argv", ["run", name])
            run.main()
    shutil.copy(ROOT / "compare/published.yaml", folder / "compare")
    return folder


@pytest.fixture
def compared(measured, tmp_path, monkeypatch):
    """A copy of it to work in."""
    folder = shutil.copytree(measured, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_report_metrics_and_pictures(compared):
    report.main()
    text = Path("compare/REPORT.md").read_text()
    metrics = json.loads(Path("compare/metrics.json").read_text())
    assert list(metrics) == ["tiny", "mlp_dropout"]
    for name, figures in metrics.items():
        assert f"| `{name}` | **{figures['test_accuracy']:.2%}**" in text
        assert (
            figures["test_accuracy"]
            == json.loads(Path(f"compare/results/{name}/scores.json").read_text())["test"]["accuracy"]
        )
    for picture in Path("compare/plots").iterdir():
        assert f"plots/{picture.name}" in text
        with Image.open(picture) as image:
            assert min(image.size) > 100
    assert len(list(Path("compare/plots").iterdir())) == 3


def test_published_figures_and_seeds_are_those_of_mnist(compared, capsys):
    accuracy = json.loads(Path("compare/results/tiny/scores.json").read_text())["test"]["accuracy"]
    spread = dict.fromkeys(("test_accuracy", "validation_accuracy"), dict.fromkeys(("mean", "sd", "min", "max"), 0.5))
    Path("benchmarks/seeds").mkdir(parents=True)
    for name, measured in (("tiny", accuracy), ("mlp_dropout", 0.5)):
        runs = [{"seed": 20, "test_accuracy": measured}]
        Path(f"benchmarks/seeds/{name}.json").write_text(json.dumps({"runs": runs, "summary": spread}))
    report.main()
    assert "Over seeds" not in Path("compare/REPORT.md").read_text()
    spec = Path("data/tfrecords/dataset.json")
    spec.write_text(spec.read_text().replace('"digits"', '"mnist"'))
    report.main()
    text = Path("compare/REPORT.md").read_text()
    assert "- `mlp_dropout`: The original watches the test split" in text
    over_seeds = text[text.index("## Over seeds") : text.index("## Differences")]
    assert "| `tiny` | 1 |" in over_seeds
    assert "mlp_dropout" not in over_seeds, "of another version"
    assert "run `make bench RECIPE=mlp_dropout`" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["cnn_deeep: {test_accuracy: 0.9}", "cnn_deep: {accuracy: 0.9}"])
def test_a_misspelt_published_figure_is_refused(project, monkeypatch, text):
    Path("compare").mkdir()
    Path("compare/published.yaml").write_text(text)
    with pytest.raises(UserError, match=r"published.yaml: unknown name (cnn_deeep|accuracy)"):
        report.read_published(["cnn_deep"])


def test_the_same_bytes_again(compared):
    report.main()
    before = {path: path.read_bytes() for path in Path("compare").rglob("*") if path.is_file()}
    report.main()
    assert {path: path.read_bytes() for path in Path("compare").rglob("*") if path.is_file()} == before


def test_a_recipe_that_was_not_run_is_named(compared, fails):
    shutil.rmtree("compare/results/tiny")
    assert "compare/results/tiny/scores.json: No such file" in fails(report)

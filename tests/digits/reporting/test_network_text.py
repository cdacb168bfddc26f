import os
import subprocess
import sys

import keras
import pydot
import pytest

from digits import architectures, params
from digits.reporting import network_text
from digits.training import ensembles
from tests.conftest import ROOT

RECIPES = params.load(ROOT / "params.yaml").recipes


def network(name="resnet"):
    return architectures.build(RECIPES[name].model, (28, 28, 1), 10)


def test_a_line_a_layer_and_the_total():
    lines = network_text.summary(network("mlp_dropout")).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "weights"]
    assert any(line.split() == ["hidden0", "Dense", "512", "401,920"] for line in lines)
    assert lines[-1] == "407,050 weights, of which 0 are statistics of the data"


def test_statistics_are_counted():
    frozen = sum(int(keras.ops.size(variable)) for variable in network().non_trainable_variables)
    assert f"of which {frozen:,} are statistics" in network_text.summary(network())


def test_members_are_opened():
    members = [keras.models.clone_model(network("tiny"), clone_function=None) for _ in range(2)]
    named = [keras.Model(m.input, m.output, name=f"member{n}") for n, m in enumerate(members)]
    text = network_text.summary(ensembles.average(named, "both"))
    assert text.count("  hidden ") == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pydot")
@pytest.mark.filterwarnings("ignore:.*deprecated - use:DeprecationWarning")
def test_graphviz_language_with_names_and_shapes():
    (graph,) = pydot.graph_from_dot_data(network_text.dot(network()))
    assert len(graph.get_nodes()) >= len(network().layers)
    assert "stem_conv" in graph.to_string()
    assert "(None, 28, 28, 32)" in graph.to_string()


def test_the_same_text_in_another_process():
    command = (
        "from digits import architectures, params;from digits.reporting import network_text;"
        "m = architectures.build(params.load().recipes['resnet'].model, (28, 28, 1), 10);"
        "print(network_text.summary(m) + network_text.dot(m), end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "40"},
    )
    assert done.stdout == network_text.summary(network()) + network_text.dot(network())

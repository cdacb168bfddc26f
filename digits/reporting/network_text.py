"""A network as text: its summary, and its graph in Graphviz' language."""

import re

import keras


def summary(model: keras.Model) -> str:
    """Returns one line per layer: name, kind, output shape, number of weights; members of an ensemble are indented.

    The same network gives the same text; Keras' `summary` depends on the terminal's width.
    """
    frozen = model.count_params() - sum(
        int(variable.value.shape.num_elements()) for variable in model.trainable_variables
    )
    total = f"{model.count_params():,} weights, of which {frozen:,} are statistics of the data"
    return "\n".join([f"{'layer':36}{'kind':26}{'output':24}{'weights':>12}", *_layers(model), "", total]) + "\n"


def _layers(model: keras.Model, indent: str = "") -> list[str]:
    lines = []
    for layer in model.layers:
        shape = "x".join(map(str, layer.output.shape[1:]))
        name, kind = f"{indent}{layer.name}", type(layer).__name__
        lines.append(f"{name:36}{kind:26}{shape:24}{layer.count_params():>12,}")
        if isinstance(layer, keras.Model):
            lines += _layers(layer, f"{indent}  ")
    return lines


def dot(model: keras.Model) -> str:
    """Returns the layers with names and shapes, as Keras' `plot_model`; the same text for the same network.

    Graphviz draws it: `dot -Tpng`.
    """
    graph = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True, dpi=96)
    numbers: dict[str, str] = {}

    def renumber(match: re.Match[str]) -> str:
        return numbers.setdefault(match[0], f"layer{len(numbers)}")

    return re.sub(r"\b\d{9,}\b", renumber, graph.to_string())  # Keras names nodes by memory address

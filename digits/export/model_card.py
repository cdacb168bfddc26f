"""The model card, after Mitchell et al., "Model Cards for Model Reporting" (https://arxiv.org/abs/1810.03993)."""

import json
from collections.abc import Mapping
from typing import Any

from digits.models.metadata import Metadata
from digits.params import Recipe

USE = {
    "model.keras": """import keras, numpy as np
model = keras.models.load_model("model.keras")
pixels = np.zeros((1, {height}, {width}, {channels}), "uint8")
probabilities = model.predict(pixels)""",
    "saved_model": """import numpy as np, tensorflow as tf
model = tf.saved_model.load("saved_model")
pixels = np.zeros((1, {height}, {width}, {channels}), "uint8")
probabilities = model.signatures["serving_default"](pixels=tf.constant(pixels))["probabilities"]""",
    "model.tflite": """import numpy as np
from ai_edge_litert.interpreter import Interpreter
model = Interpreter("model.tflite").get_signature_runner("serving_default")
pixels = np.zeros((1, {height}, {width}, {channels}), "uint8")
probabilities = model(pixels=pixels)["probabilities"]""",
    "model_int8.tflite": """import numpy as np
from ai_edge_litert.interpreter import Interpreter
model = Interpreter("model_int8.tflite").get_signature_runner("serving_default")
pixels = np.zeros((1, {height}, {width}, {channels}), "uint8")
probabilities = model(pixels=pixels)["probabilities"] / 256""",
    "model.onnx": """import numpy as np, onnxruntime
model = onnxruntime.InferenceSession("model.onnx")
pixels = np.zeros((1, {height}, {width}, {channels}), "uint8")
(probabilities,) = model.run(["probabilities"], {{"pixels": pixels}})""",
}


def markdown(
    about: Metadata,
    dataset: Mapping[str, Any],
    recipe: Recipe,
    figures: Mapping[str, Mapping[str, Any]],
    agreement: Mapping[str, Mapping[str, Any]],
) -> str:
    """Returns the text of `models/README.md`.

    Args:
        about: the model's metadata.
        dataset: the card of the dataset.
        recipe: the recipe that was trained.
        figures: the contents of the metrics files `data`, `train`, `test` and `robustness`.
        agreement: the content of `metrics/export.json`.
    """
    sections = (
        _opening(about, recipe),
        _data(dataset, figures["data"]),
        _recipe(recipe, figures["train"]),
        _quality(about, figures["test"]),
        _slices(figures["test"]["per_class"]),
        _elsewhere(figures["robustness"]),
        _limits(),
        _files(about, agreement),
    )
    return "\n\n".join(sections) + "\n"


def _opening(about: Metadata, recipe: Recipe) -> str:
    height, width, channels = about.image_shape
    return f"""# Model card: `{about.recipe}` on {about.dataset}

Classifies images of {height}x{width}x{channels} pixels (uint8, 0 to 255, as the dataset's) as one of {len(about.classes)} classes:
{", ".join(about.classes)}. It answers {"calibrated probabilities" if recipe.calibrate else "probabilities, which are not calibrated"}. Written by the stage `export`; the code is MIT-licensed."""


def _data(dataset: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{split['images']:,} {name}" for name, split in data["splits"].items())
    return f"""## Data

{dataset["name"]} {dataset["version"]} ({dataset["source"]}; {dataset["licence"]}): {counts} images. The validation split
is held out of the original training split; choices are made on it. The test split is for the figures below."""


def _recipe(recipe: Recipe, train: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| `{name}` | `{json.dumps(value)}` |" for name, value in recipe.model_dump().items())
    return f"""## Recipe

{train["weights"]:,} weights, {train["epochs"]} epochs, validation accuracy {train["val_accuracy"]:.2%}; the logits are divided by
the temperature {train["temperature"]:g}, {"fitted on the validation split" if recipe.calibrate else "which was not fitted"}.

| key | value |
|---|---|
{rows}"""


def _quality(about: Metadata, test: Mapping[str, Any]) -> str:
    decision = test["decision"]
    return f"""## On the test split

| | |
|---|---|
| accuracy | **{test["accuracy"]:.2%}**, 95 % interval {test["accuracy_low"]:.2%} to {test["accuracy_high"]:.2%} ({test["correct"]:,} of {test["total"]:,}) |
| loss (cross-entropy, nats) | {test["loss"]:.4f} |
| expected calibration error | {test["ece"]:.2%}; {test["ece_uncalibrated"]:.2%} before the temperature |
| "not sure" below the confidence {about.decision.sure:.3f} | refuses {decision["refused"]:.2%}; of the rest {decision["error"]:.2%} are wrong |
| "none of the classes" below {about.decision.known:.3f} | said of {decision["unknown"]:.2%} |"""


def _slices(per_class: Mapping[str, Mapping[str, Any]]) -> str:
    rows = "\n".join(
        f"| {name} | {row['precision']:.2%} | {row['recall']:.2%} | {row['support']:,} |"
        for name, row in per_class.items()
    )
    return f"""## By class

| class | precision | recall | images |
|---|---|---|---|
{rows}"""


def _elsewhere(robustness: Mapping[str, Any]) -> str:
    lines = ["## Beyond the test split", ""]
    names = {"drawings": "drawings made of strokes", "scikit_learn": "scikit-learn's digits, 8x8 pixels"}
    for key, name in names.items():
        if metrics := robustness.get(key):
            lines.append(
                f"- {name}, {metrics['total']:,}: {metrics['accuracy']:.2%} (95 % interval {metrics['accuracy_low']:.2%} to "
                f"{metrics['accuracy_high']:.2%}), {metrics['refused']:.1%} not sure"
            )
    if metrics := robustness.get("photographs"):
        lines.append(
            f"- photographs, scans and screenshots of drawings, {metrics['total']:,}: {metrics['right']:.1%} sure and right, "
            f"{metrics['wrong']:.1%} sure and wrong"
        )
    if metrics := robustness.get("no_digits"):
        lines.append(
            f"- pictures of no digit, {metrics['total']:,}: {metrics['unknown']:.1%} are called that, {metrics['refused']:.1%} "
            "get no sure answer"
        )
    stressed = robustness.get("stress_framed", robustness["stress"])
    worst = sorted(stressed, key=lambda name: float(stressed[name]["strong"]))[:3]
    lines.append(
        f"- of {len(stressed)} distortions, the worst when strong: "
        + ", ".join(f"{name} ({stressed[name]['strong']:.1%})" for name in worst)
        + "; all are in `metrics/robustness.json`"
    )
    return "\n".join(lines)


def _limits() -> str:
    return """## Limits

- It knows the classes of its dataset only. Other images are often, not always, rejected as "none of the classes".
- One object per image. A drawing or a photo must first be converted to an image like those of the dataset: `digits.drawing.framing.frame` does that for digits.
- Not for decisions about people, and not for reading amounts or codes that nobody checks."""


def _files(about: Metadata, agreement: Mapping[str, Mapping[str, Any]]) -> str:
    height, width, channels = about.image_shape
    lines = [
        "## Files",
        "",
        "| file | MB | same answer as Keras on the test split | largest difference | accuracy |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {row['bytes'] / 1e6:.2f} | {row['agreement']:.2%} | {row['max_difference']:.2g} | {row['accuracy']:.2%} |"
        for name, row in agreement.items()
    ]
    lines += ["", "Each takes raw pixels, uint8, and answers probabilities in the order of the classes above."]
    for name in agreement:
        code = USE[name].format(height=height, width=width, channels=channels)
        lines += ["", f"`{name}`:", "", "```python", code, "```"]
    return "\n".join(lines)

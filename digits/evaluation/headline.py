"""The dozen figures by which one run is compared with another: `dvc metrics diff`, `dvc exp show`."""

from collections.abc import Mapping
from typing import Any

INT8 = "model_int8.tflite"


def figures(
    train: Mapping[str, Any], test: Mapping[str, Any], robustness: Mapping[str, Any], export: Mapping[str, Any]
) -> dict[str, float | int]:
    """Chooses the headline figures; what was not measured on this dataset is left out.

    Args:
        train: the content of `metrics/train.json`.
        test: of `metrics/test.json`.
        robustness: of `metrics/robustness.json`.
        export: of `metrics/export.json`.

    Returns:
        The most important first; shares are from 0 to 1. On the test split: `accuracy` with its 95 % Wilson interval
        `accuracy_low` to `accuracy_high`, `loss` in nats, `ece` (expected calibration error), `refused` (no sure
        answer), `wrong_when_sure`, and the int8 model's `int8_agreement` with the Keras model. On others:
        `val_accuracy`, `drawings` and `scikit_learn` (accuracy), `photographs` (sure and right), `no_digits_refused`
        (images of no digit without a sure answer). Sizes: `weights`, and `int8_bytes`.
    """
    beyond = {name: robustness[name]["accuracy"] for name in ("drawings", "scikit_learn") if name in robustness}
    if "photographs" in robustness:
        beyond["photographs"] = robustness["photographs"]["right"]
    if "no_digits" in robustness:
        beyond["no_digits_refused"] = robustness["no_digits"]["refused"]
    return {
        **{name: test[name] for name in ("accuracy", "accuracy_low", "accuracy_high")},
        "val_accuracy": train["val_accuracy"],
        "loss": test["loss"],
        "ece": test["ece"],
        "refused": test["decision"]["refused"],
        "wrong_when_sure": test["decision"]["error"],
        **beyond,
        "weights": train["weights"],
        "int8_agreement": export[INT8]["agreement"],
        "int8_bytes": export[INT8]["bytes"],
    }

"""The per-epoch callback: records metrics, drives early stopping and the plateau schedule, saves the checkpoint."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from digits.core.errors import UserError
from digits.params import Plateau, Recipe
from digits.training import checkpoints
from digits.training.checkpoints import Checkpoint, State, Values

COLUMNS = {  # column of the history -> its name in Keras' logs
    "loss": "cross_entropy",
    "accuracy": "accuracy",
    "val_loss": "val_cross_entropy",
    "val_accuracy": "val_accuracy",
}


class EpochRecorder(keras.callbacks.Callback):
    """Records each epoch, passes the record to Keras' own callbacks, and saves the state in the checkpoint.

    Those callbacks (early stopping, the plateau schedule) receive each epoch only from here, as a row of the history.
    On resume the saved rows are replayed, which restores their state.

    Args:
        network: compiled, with a built optimiser; its variables are restored from the state.
        recipe: the epochs, early stopping and schedule.
        checkpoint: where the state is saved to.
        state: what the checkpoint held.
        prints: whether to print a line per epoch.
        report: called after each epoch with all rows so far.
    """

    def __init__(
        self,
        network: keras.Model,
        recipe: Recipe,
        checkpoint: Checkpoint,
        state: State,
        *,
        prints: bool,
        report: Callable[[list[dict[str, Any]]], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.recipe, self.checkpoint, self.prints, self.report = recipe, checkpoint, prints, report
        self.state = state
        self.callbacks = _callbacks(recipe)
        network.stop_training = False
        for callback in self.callbacks:
            callback.set_model(network)
            callback.on_train_begin()
        for row in self.state.history:
            self._notify(row)
        if self.state.history:
            checkpoints.assign(_all_variables(network), self.state.variables)
        self.finished = network.stop_training or len(self.state.history) >= recipe.epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the timer."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Records the epoch after its validation; `epoch` counts from 0."""
        metrics = {column: float(logs[name]) for column, name in COLUMNS.items()}
        if not math.isfinite(metrics["loss"] + metrics["val_loss"]):
            raise UserError(
                f"the training diverged in epoch {epoch + 1} (loss {metrics['loss']}, validation loss "
                f"{metrics['val_loss']}); lower the recipe's learning rate"
            )
        seconds = time.perf_counter() - self.started
        row = {"epoch": epoch + 1, **metrics, "learning_rate": 0.0, "seconds": seconds}
        self.state.history.append(row)
        if self._is_best():
            self.state.best = averaged_values(self.model)
        self._notify(row)
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.state.variables = checkpoints.values(_all_variables(self.model))
        self.checkpoint.save(self.state)
        self.report(self.state.history)
        if self.prints:
            line = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            print(f"epoch {epoch + 1}/{self.recipe.epochs}  {line}  {seconds:.1f} s", flush=True)

    def _is_best(self) -> bool:
        stopping = self.recipe.early_stopping
        return bool(
            stopping
            and stopping.restore_best_weights
            and best_epoch(self.state.history, stopping.monitor) == len(self.state.history)
        )

    def _notify(self, row: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback.on_epoch_end(row["epoch"] - 1, dict(row))


class AveragedValidation(keras.callbacks.Callback):
    """Validates with the moving average of the weights.

    Keras' `SwapEMAWeights` swaps the two by additions, which changes the last bits of both.
    """

    def on_test_begin(self, logs: Any = None) -> None:
        """Replaces the weights by their average."""
        self.weights = checkpoints.values(self.model.trainable_variables)
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

    def on_test_end(self, logs: Any = None) -> None:
        """Restores the weights."""
        checkpoints.assign(self.model.trainable_variables, self.weights)


def averaged_values(network: keras.Model) -> Values:
    """Returns the network's variables, with moving averages for weights if its optimiser keeps them."""
    current = checkpoints.values(network.variables)
    network.optimizer.finalize_variable_values(network.trainable_variables)
    averaged = checkpoints.values(network.variables)
    checkpoints.assign(network.variables, current)
    return averaged


def best_epoch(history: list[dict[str, Any]], monitor: str) -> int:
    """Returns the first epoch, from 1, with the highest accuracy or the lowest loss, as `monitor` names."""
    column = [row[monitor] for row in history]
    return column.index(max(column) if _mode(monitor) == "max" else min(column)) + 1


def _mode(monitor: str) -> str:
    return "max" if monitor.endswith("accuracy") else "min"


def _callbacks(recipe: Recipe) -> list[keras.callbacks.Callback]:
    schedule, stopping = recipe.schedule, recipe.early_stopping
    callbacks = []
    if stopping:
        callbacks.append(
            keras.callbacks.EarlyStopping(stopping.monitor, patience=stopping.patience, mode=_mode(stopping.monitor))
        )
    if isinstance(schedule, Plateau):
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                schedule.monitor,
                factor=schedule.factor,
                patience=schedule.patience,
                min_delta=1e-4,
                mode=_mode(schedule.monitor),
            )
        )
    return callbacks


def _all_variables(network: keras.Model) -> list[keras.Variable]:
    return [*network.variables, *network.optimizer.variables]

"""What happens between two epochs of a training: its figures are recorded, and it is slowed, stopped or kept."""

import math
import time
from typing import Any

import keras

from digits.core.errors import UserError
from digits.params import Plateau, Recipe
from digits.training import checkpoints
from digits.training.checkpoints import Checkpoint, State, Values

COLUMNS = {  # of the history -> the name in Keras' logs
    "loss": "cross_entropy",
    "accuracy": "accuracy",
    "val_loss": "val_cross_entropy",
    "val_accuracy": "val_accuracy",
}


class EpochRecorder(keras.callbacks.Callback):
    """Records each epoch, lets Keras' own callbacks act on the record, and keeps the state in the checkpoint.

    Those callbacks (early stopping, the plateau) hear of an epoch from here alone, as a row of the history. After an
    interruption they are told the kept rows again, and are then where they were.

    Args:
        network: compiled; its optimiser is built. What the checkpoint holds of it is restored.
        recipe: what to do.
        checkpoint: where the state is kept.
        prints: a line an epoch.
    """

    def __init__(self, network: keras.Model, recipe: Recipe, checkpoint: Checkpoint, *, prints: bool) -> None:
        super().__init__()
        self.recipe, self.checkpoint, self.prints = recipe, checkpoint, prints
        self.state: State = checkpoint.load()
        self.callbacks = _callbacks(recipe)
        network.stop_training = False
        for callback in self.callbacks:
            callback.set_model(network)
            callback.on_train_begin()
        for row in self.state.history:
            self._replay(row)
        if self.state.history:
            checkpoints.assign(_everything(network), self.state.variables)
        self.finished = network.stop_training or len(self.state.history) >= recipe.epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keras calls it after the validation; `epoch` counts from 0."""
        figures = {column: float(logs[name]) for column, name in COLUMNS.items()}
        if not math.isfinite(figures["loss"] + figures["val_loss"]):
            raise UserError(
                f"the training diverged in epoch {epoch + 1} (loss {figures['loss']}, validation loss "
                f"{figures['val_loss']}); lower the recipe's learning rate"
            )
        seconds = time.perf_counter() - self.started
        row = {"epoch": epoch + 1, **figures, "learning_rate": 0.0, "seconds": seconds}
        self.state.history.append(row)
        if self._is_best():
            self.state.best = averaged_values(self.model)
        self._replay(row)
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.state.variables = checkpoints.values(_everything(self.model))
        self.checkpoint.save(self.state)
        if self.prints:
            line = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            print(f"epoch {epoch + 1}/{self.recipe.epochs}  {line}  {seconds:.1f} s", flush=True)

    def _is_best(self) -> bool:
        stopping = self.recipe.early_stopping
        return bool(
            stopping
            and stopping.restore_best_weights
            and best_epoch(self.state.history, stopping.monitor) == len(self.state.history)
        )

    def _replay(self, row: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback.on_epoch_end(row["epoch"] - 1, dict(row))


class AveragedValidation(keras.callbacks.Callback):
    """Validates the moving average of the weights in their place.

    Keras' `SwapEMAWeights` exchanges the two by additions, which changes the last bits of both.
    """

    def on_test_begin(self, logs: Any = None) -> None:
        """Puts the average in place."""
        self.kept = checkpoints.values(self.model.trainable_variables)
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

    def on_test_end(self, logs: Any = None) -> None:
        """Puts the weights back."""
        checkpoints.assign(self.model.trainable_variables, self.kept)


def averaged_values(network: keras.Model) -> Values:
    """The network's variables, the moving averages of its weights in their place where its optimiser keeps any."""
    kept = checkpoints.values(network.variables)
    network.optimizer.finalize_variable_values(network.trainable_variables)
    averaged = checkpoints.values(network.variables)
    checkpoints.assign(network.variables, kept)
    return averaged


def best_epoch(history: list[dict[str, Any]], monitor: str) -> int:
    """The first epoch, counted from 1, with the highest accuracy or the lowest loss, whichever `monitor` names."""
    column = [row[monitor] for row in history]
    return column.index(max(column) if _mode(monitor) == "max" else min(column)) + 1


def _mode(monitor: str) -> str:
    return "max" if monitor.endswith("accuracy") else "min"


def _callbacks(recipe: Recipe) -> list[keras.callbacks.Callback]:
    schedule, stopping = recipe.schedule, recipe.early_stopping
    found = []
    if stopping:
        found.append(
            keras.callbacks.EarlyStopping(stopping.monitor, patience=stopping.patience, mode=_mode(stopping.monitor))
        )
    if isinstance(schedule, Plateau):
        found.append(
            keras.callbacks.ReduceLROnPlateau(
                schedule.monitor,
                factor=schedule.factor,
                patience=schedule.patience,
                min_delta=1e-4,
                mode=_mode(schedule.monitor),
            )
        )
    return found


def _everything(network: keras.Model) -> list[keras.Variable]:
    return [*network.variables, *network.optimizer.variables]

"""The closed, typed schema of `params.yaml`: an unknown key, a missing key or a wrong type is an error.

DVC ignores unknown keys; this schema reports them. A stage reads `params.<section>.<key>` and declares exactly those
keys in `dvc.yaml` (a test compares the two).
"""

from digits.params.loading import load
from digits.params.networks import Cnn, HiddenLayer, Mlp, Network, NormalInitializer, Resnet, StridedCnn, Tiny
from digits.params.project import Params, Processor, Train
from digits.params.recipe import (
    Adam,
    AdamW,
    Augmentation,
    Constant,
    Cosine,
    EarlyStopping,
    Loss,
    Muon,
    OneCycle,
    Optimizer,
    Plateau,
    Recipe,
    Schedule,
    Sgd,
)

__all__ = [
    "Adam",
    "AdamW",
    "Augmentation",
    "Cnn",
    "Constant",
    "Cosine",
    "EarlyStopping",
    "HiddenLayer",
    "Loss",
    "Mlp",
    "Muon",
    "Network",
    "NormalInitializer",
    "OneCycle",
    "Optimizer",
    "Params",
    "Plateau",
    "Processor",
    "Recipe",
    "Resnet",
    "Schedule",
    "Sgd",
    "StridedCnn",
    "Tiny",
    "Train",
    "load",
]

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits import params
from digits.core.errors import UserError
from digits.inputs.streaming import StreamedSplit
from digits.models import determinism
from digits.splits import tfrecords
from digits.splits.split import Split
from digits.training import checkpoints, session, trainer
from digits.training.checkpoints import Checkpoint
from tests.conftest import ROOT, make_split
from tests.digits.training.test_trainer import SMALL

PARAMETERS = params.load(ROOT / "params.yaml")
SPLITS = {"train": make_split(10, seed=0), "validation": make_split(5, seed=1)}
NAMES = {"training": "train", "validation": "validation"}  # in a record


def write(folder, splits=SPLITS):
    tfrecords.write(folder, splits, name="bars", classes=["a", "b", "c"], shards=4)


@pytest.fixture
def prepare(tmp_path):
    """Prepares a small training on records in `records`: `prepare(seed=2)` for what differs."""
    write(tmp_path / "records")

    def call(**changes):
        options = {
            "recipe": SMALL,
            "settings": PARAMETERS.train,
            "processor": PARAMETERS.processor,
            "seed": 1,
            "records": tmp_path / "records",
            "drawings": ROOT / "drawings/validation.json",
            "checkpoint": tmp_path / "models/checkpoint.npz",
        }
        return session.prepare(**{**options, **changes})

    return call


class KilledError(Exception):
    """In place of a signal."""


def settings(**changes):
    return PARAMETERS.train.model_copy(update=changes)


def test_it_holds_what_a_training_takes(prepare, tmp_path):
    prepared = prepare()
    assert (prepared.recipe, prepared.seed) == (SMALL, 1)
    assert (prepared.spec.name, prepared.spec.classes) == ("bars", ["a", "b", "c"])
    assert isinstance(prepared.training, Split)
    assert prepared.training.digest() == SPLITS["train"].digest()
    assert prepared.validation.digest() == SPLITS["validation"].digest()
    assert prepared.strategy is tf.distribute.get_strategy()
    assert prepared.checkpoint.path == tmp_path / "models/checkpoint.npz"
    assert (prepared.is_chief, prepared.checkpoint.writes) == (True, True)
    assert not (tmp_path / "models").exists(), "nothing is trained yet"


def test_the_record_says_what_the_training_depends_on_and_nothing_that_changes(prepare, tmp_path):
    record = prepare().provenance
    assert record["data"] == {name: SPLITS[split].digest() for name, split in NAMES.items()}
    assert (record["dataset"], record["seed"], record["parameters"]) == ("bars", 1, SMALL.model_dump())
    assert set(record["versions"]) == {"keras", "numpy", "tensorflow"}
    assert prepare(checkpoint=tmp_path / "elsewhere.npz", settings=settings(memory_mb=512)).provenance == record
    assert prepare(seed=2).provenance != record


def test_tensorflow_is_configured_and_workers_are_met_before_anything_is_read(prepare, monkeypatch):
    done = []

    def note(module, name):
        call = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, **options: done.append(name) or call(*args, **options))

    note(session.determinism, "configure")
    note(session.devices, "strategy")
    note(tf.data, "TFRecordDataset")
    prepare()
    assert done[:3] == ["configure", "strategy", "TFRecordDataset"]
    assert done.count("configure") == done.count("strategy") == 1


def test_the_precision_is_that_of_the_settings(prepare):
    try:
        prepare(settings=settings(precision="mixed_bfloat16"))
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        prepare()
    assert keras.config.dtype_policy().name == "float32"


def test_a_set_that_does_not_fit_the_memory_is_streamed(prepare, tmp_path):
    for per_class, kind in ((100, Split), (200, StreamedSplit)):  # of 64 x 64 pixels: 1.2 and 2.5 MB
        training, validation = make_split(per_class, seed=0, side=64), make_split(5, seed=1, side=64)
        write(tmp_path / "large", {"train": training, "validation": validation})
        prepared = prepare(records=tmp_path / "large", settings=settings(memory_mb=2))
        assert isinstance(prepared.training, kind)
        assert len(prepared.training) == 3 * per_class


def test_a_checkpoint_counts_for_the_same_training_only(prepare, tmp_path, monkeypatch):
    def fingerprint(**changes):
        return prepare(**changes).checkpoint.fingerprint

    same = fingerprint()
    assert fingerprint(checkpoint=tmp_path / "elsewhere.npz") == same
    write(tmp_path / "training", {**SPLITS, "train": make_split(10, seed=2)})
    write(tmp_path / "validation", {**SPLITS, "validation": make_split(5, seed=2)})
    others = [
        fingerprint(seed=2),
        fingerprint(recipe=SMALL.model_copy(update={"epochs": 4})),
        fingerprint(settings=settings(memory_mb=512)),
        fingerprint(settings=settings(strategy="mirrored")),
        fingerprint(records=tmp_path / "training"),
        fingerprint(records=tmp_path / "validation"),
    ]
    try:
        others.append(fingerprint(processor=PARAMETERS.processor.model_copy(update={"instructions": "all"})))
    finally:
        assert fingerprint() == same, "whatever was prepared in between"
    assert len({same, *others}) == 8
    for library in checkpoints.LIBRARIES:
        with monkeypatch.context() as other:
            other.setattr(library, "__version__", "0.0")
            assert fingerprint() != same
    monkeypatch.setattr(determinism, "processor_class", lambda _: "another processor")
    assert fingerprint() != same


def same_weights(one, other):
    for ours, theirs in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the trainer itself makes of the same."""
    checkpoint = Checkpoint(tmp_path_factory.mktemp("trainer") / "checkpoint.npz", identity="another")
    return trainer.train(SMALL, SPLITS["train"], SPLITS["validation"], classes=3, seed=1, checkpoint=checkpoint)


def test_an_interrupted_training_is_continued_to_what_an_undisturbed_one_gives(prepare, expected, monkeypatch, capsys):
    def save_and_die(self, state, save=Checkpoint.save):
        save(self, state)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_die)
        with pytest.raises(KilledError):
            prepare().train()
    capsys.readouterr()
    prepared = prepare()
    result = prepared.train()
    printed = capsys.readouterr().out
    assert "epoch 1/3" not in printed
    assert "epoch 2/3" in printed
    assert result.history == expected.history
    assert result.summary == expected.summary
    same_weights(result, expected)
    prepared.checkpoint.discard()
    assert not list(prepared.checkpoint.path.parent.iterdir())


def test_the_chief_alone_logs_and_reports_its_epochs(prepare, tmp_path, monkeypatch):
    def train(*arguments, log_dir, on_epoch, **options):
        given.append(log_dir)
        on_epoch([{"epoch": 1}])

    given, reported = [], []
    monkeypatch.setattr(trainer, "train", train)
    prepared = prepare()
    prepared.train(tmp_path / "logs", reported.append)
    replace(prepared, is_chief=False).train(tmp_path / "logs", reported.append)
    prepared.train()
    assert given == [tmp_path / "logs", None, None]
    assert reported == [[{"epoch": 1}]]


def test_a_worker_that_is_not_the_chief_writes_no_checkpoint(prepare, monkeypatch):
    monkeypatch.setattr(session.devices, "is_chief", lambda strategy: False)
    prepared = prepare()
    assert (prepared.is_chief, prepared.checkpoint.writes) == (False, False)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_damaged_records_are_named(prepare, tmp_path, split):
    path = min((tmp_path / "records").glob(f"{split}-*"))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match=rf"{path}: corrupt or truncated; run `dvc repro -f preprocess`"):
        prepare()


def test_drawings_go_with_digits_only(prepare):
    with pytest.raises(UserError, match="drawing_share: drawings go with the ten digits in 28x28 pixels only"):
        prepare(recipe=SMALL.model_copy(update={"drawing_share": 0.5}))


def test_several_workers_must_be_told_of_each_other(prepare, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match=r"train\.strategy: multi_worker needs TF_CONFIG="):
        prepare(settings=settings(strategy="multi_worker"))

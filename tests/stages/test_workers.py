"""Two processes of stage `train` on loopback, as `train.strategy: multi_worker` has them."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from digits.core import paths
from stages import train
from tests.conftest import ROOT, edit_params
from tests.digits.training.test_cluster import free_ports

OWN_LOOP = ("    epochs: 2\n\nprocessor:", "    epochs: 2\n    loop: gradient_tape\n\nprocessor:")
WORKERS = ("  strategy: one_device ", "  strategy: multi_worker ")

# Stage `train`, ended as by SIGKILL when the first epoch has been saved.
KILLED = """
import os
from digits.training.checkpoints import Checkpoint
from stages import train
save = Checkpoint.save
def save_and_die(self, state):
    save(self, state)
    if {dies}:
        os._exit(9)
Checkpoint.save = save_and_die
train.errors.run(train.main)
"""


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def start(folder, index, ports, program=("-m", "stages.train")):
    addresses = [f"127.0.0.1:{port}" for port in ports]
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    return subprocess.Popen(
        [sys.executable, *program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(config)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_two(folders, programs=(("-m", "stages.train"),) * 2):
    """Runs both workers to their end; returns exit status and stderr of each."""
    ports = free_ports(2)
    both = [start(folder, index, ports, programs[index]) for index, folder in enumerate(folders)]
    try:
        errors = [process.communicate(timeout=300)[1] for process in both]
    finally:
        for process in both:
            process.kill()
    return [(process.returncode, error) for process, error in zip(both, errors, strict=True)]


@pytest.fixture
def untrained(project):
    """A folder to train two workers in."""
    edit_params(project, OWN_LOOP, WORKERS)
    for path in (paths.MODEL, paths.HISTORY, paths.TRAIN_METRICS):
        (project / path).unlink()
    return project


def copy_of(folder):
    return shutil.copytree(folder, folder.with_name("elsewhere"))


def one_line(error, status, text):
    assert status == 1
    assert text in error
    assert error.startswith("train: ")
    assert error.count("\n") == 1


@pytest.mark.pipeline
def test_two_workers_train_what_one_process_does_and_the_chief_alone_writes(untrained):
    elsewhere = copy_of(untrained)
    before = files(elsewhere)
    assert run_two([untrained, elsewhere]) == [(0, ""), (0, "")]
    assert files(elsewhere) == before
    trained = json.loads((untrained / paths.TRAIN_METRICS).read_text())

    edit_params(untrained, WORKERS[::-1])
    train.main()
    alone = json.loads((untrained / paths.TRAIN_METRICS).read_text())
    assert trained == pytest.approx(alone, abs=0.01)


@pytest.mark.pipeline
def test_after_a_crash_both_go_on_from_the_same_epoch_to_the_same_bytes(untrained):
    assert run_two([untrained] * 2) == [(0, ""), (0, "")]
    whole = (untrained / paths.MODEL).read_bytes()
    (untrained / paths.MODEL).unlink()

    killed = KILLED.format(dies="self.writes")
    crashed, left = run_two([untrained] * 2, [("-c", killed)] * 2)
    assert crashed[0] == 9
    assert list((untrained / "models").glob("checkpoint*"))
    one_line(left[1], left[0], "another worker is gone")

    # In a folder that does not hold the checkpoint, the other worker would begin anew.
    elsewhere = copy_of(untrained)
    for path in (elsewhere / "models").glob("checkpoint*"):
        path.unlink()
    for status, error in run_two([untrained, elsewhere]):
        one_line(error, status, "worker 1 would go on after epoch 0, the chief after epoch 1: share the folder")

    assert run_two([untrained] * 2) == [(0, ""), (0, "")]
    assert (untrained / paths.MODEL).read_bytes() == whole
    assert not list((untrained / "models").glob("checkpoint*"))


@pytest.mark.pipeline
def test_the_chief_ends_with_one_line_when_another_worker_is_killed(untrained):
    killed = KILLED.format(dies="not self.writes")
    chief, crashed = run_two([untrained] * 2, [("-m", "stages.train"), ("-c", killed)])
    assert crashed[0] == 9
    one_line(chief[1], chief[0], "another worker is gone")
    assert not (untrained / paths.MODEL).exists()


@pytest.mark.pipeline
@pytest.mark.parametrize(
    "change",
    [
        ("seed: 20", "seed: 21"),
        ("width: 8}", "width: 9}"),
        (
            "optimizer: {name: adamw, weight_decay: 0, ema: 0}",
            "optimizer: {name: sgd, momentum: 0, weight_decay: 0, ema: 0}",
        ),
    ],
    ids=["seed", "another network", "another optimiser"],
)
def test_workers_with_other_parameters_train_nothing(untrained, change):
    elsewhere = copy_of(untrained)
    edit_params(elsewhere, change)
    for status, error in run_two([untrained, elsewhere]):
        one_line(error, status, "worker 1 differs from the chief in code, packages, parameters, data or processor")


def test_a_wrong_description_ends_the_stage_with_one_line(untrained, fails, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["127.0.0.1:1"]}, "task": {"type": "worker"}}))
    assert "TF_CONFIG: 'task' with 'type' and 'index' of this process is missing; write {" in fails(train)
    monkeypatch.delenv("TF_CONFIG")
    assert "train.strategy: multi_worker needs TF_CONFIG={" in fails(train)

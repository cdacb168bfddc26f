import hashlib
import os
import platform
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # not public, and the only way to ask

from digits.models import determinism
from digits.params import load
from tests.conftest import ROOT

PROCESSOR = load(ROOT / "params.yaml").processor


def test_threads_and_determinism_are_set():
    determinism.configure(PROCESSOR)
    assert tf.config.threading.get_intra_op_parallelism_threads() == PROCESSOR.threads
    assert tf.config.threading.get_inter_op_parallelism_threads() == PROCESSOR.threads
    assert is_op_determinism_enabled()


def test_precision():
    try:
        determinism.configure(PROCESSOR, "mixed_bfloat16")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        determinism.configure(PROCESSOR)
    assert keras.config.dtype_policy().name == "float32"


# Training steps of the default network on made-up images, in a process of its own: TensorFlow and oneDNN look at their
# settings once. The environment asks for the opposite of what the project sets.
STEPS = """
import json, sys
from digits import architectures, params
from digits.models import determinism
import keras
import numpy as np
parameters = params.load()
processor = parameters.processor.model_copy(update={"instructions": sys.argv[1]})
determinism.configure(processor)
keras.utils.set_random_seed(1)
network = architectures.build(parameters.recipe_named("fast_cnn").model, (28, 28, 1), 10)
network.compile("adamw", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
random = np.random.default_rng(1)
images, labels = random.integers(0, 256, (256, 28, 28, 1), np.uint8), random.integers(0, 10, 256)
network.fit(images, labels, batch_size=128, shuffle=False, verbose=0)
print(json.dumps([weight.tobytes().hex() for weight in network.get_weights()]))
"""


def weights(instructions, **environment):
    done = subprocess.run(
        [sys.executable, "-c", STEPS, instructions],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return hashlib.sha256(done.stdout.splitlines()[-1].encode()).hexdigest()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other instructions than on x86-64")
def test_the_environment_does_not_change_the_weights():
    # That processors of two kinds give the same, and with which digest, is in docs/log.md.
    opposite = {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "SSE41"}
    assert weights("avx2", **opposite) == weights("avx2")


@pytest.mark.parametrize(
    ("instructions", "flags", "expected"),
    [
        ("avx2", "sse4_1 avx avx2 avx512f avx512_vnni", "avx2"),
        ("avx2", "sse4_1 avx avx2", "avx2"),
        ("avx2", "sse4_1 avx", "avx"),
        ("all", "sse4_1 avx avx2", "avx2"),
        ("all", "sse4_1 avx avx2 avx512f avx512_vnni", "avx512_vnni"),
        ("all", "sse4_1 avx avx2 avx512f avx512_vnni avx512_bf16 amx_bf16", "amx_bf16"),
    ],
)
def test_the_class_of_a_processor_is_what_is_used_of_it(monkeypatch, tmp_path, instructions, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags}\n")
    monkeypatch.setattr(determinism, "CPU_INFO", tmp_path / "cpuinfo")
    processor = PROCESSOR.model_copy(update={"instructions": instructions})
    assert determinism.processor_class(processor) == f"{platform.machine()} with {expected}"


def test_where_the_system_does_not_tell_the_machine_alone_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(determinism, "CPU_INFO", tmp_path / "missing")
    assert determinism.processor_class(PROCESSOR) == platform.machine()


def test_a_gpu_is_a_class_of_its_own(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    details = {"device_name": "NVIDIA X", "compute_capability": (9, 0)}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    assert determinism.processor_class(PROCESSOR) == "NVIDIA X, compute capability (9, 0)"

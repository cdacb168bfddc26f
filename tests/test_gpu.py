"""The way to a GPU, as far as it can be tried without one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_makefile import make
from tools import install

UV = Path(sys.executable).with_name("uv")
LOCKS = ("requirements.lock", "requirements-gpu.lock")


def names(lock):
    return dict(re.findall(r"^([\w.-]+)==([^\s\\;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_cuda_comes_with_the_release_of_tensorflow_that_the_pipeline_has():
    base, on_top = (names(lock) for lock in LOCKS)
    assert on_top.pop("tensorflow") == base["tensorflow-cpu"]
    assert on_top
    assert all(name.startswith("nvidia-") for name in on_top)
    assert not set(on_top) & set(base)


def test_gpu_puts_the_one_tensorflow_into_the_place_of_the_other():
    printed = make(ROOT, "--dry-run", "--always-make", "PYTHON=python3", "repro", "GPU=1").stdout
    assert printed.index("tools.install requirements.lock") < printed.index("tools.install requirements-gpu.lock")
    assert printed.index("tools.install requirements-gpu.lock") < printed.index("tools.repro")
    assert install.REPLACED == {"requirements-gpu.lock": "tensorflow-cpu"}


@pytest.mark.pipeline  # not quick: it asks the package index
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_both_lock_files_resolve_together_with_their_hashes(tmp_path, version):
    asked = [UV, "pip", "install", "--dry-run", "--system-certs", "--require-hashes", "--target", tmp_path]
    system = ["--python-platform", "x86_64-manylinux_2_28", "--python-version", version]
    files = [part for lock in LOCKS for part in ("--requirement", ROOT / lock)]
    done = subprocess.run(
        [*asked, *system, *files], env=install.environment(), check=False, capture_output=True, text=True
    )
    if done.returncode and re.search(r"error sending request|dns error|tcp connect error|timed out", done.stderr):
        pytest.skip("no package index answers here")
    assert done.returncode == 0, done.stderr
    assert " + nvidia-cudnn-cu12==" in done.stderr

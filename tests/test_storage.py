"""What one clone pushes another pulls, through a folder, a real SSH server and an S3 server, all on this machine."""

import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from ruamel.yaml import YAML

from tests.conftest import edit_params, free_port
from tests.test_pipeline import ENVIRONMENT, commit, make_clone, run

pytestmark = pytest.mark.pipeline

PUSH, PULL = (("python", "-m", "tools.storage", way) for way in ("push", "pull"))
LAST = ["export", "headline"]
ANOTHER = ("representative_images: 50", "representative_images: 40")  # of LAST


def ran(output):
    return re.findall(r"Running stage '(\S+)'", output)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A clone in which everything is up to date, and in which the last stages have run with another value before."""
    folder = make_clone(tmp_path_factory.mktemp("finished"))
    edit_params(folder, ANOTHER)
    assert ran(run(folder, "dvc", "repro"))[-2:] == LAST
    shutil.copy(folder / "dvc.lock", folder.parent / "another.lock")
    edit_params(folder, ANOTHER[::-1])
    assert ran(run(folder, "dvc", "repro")) == LAST
    commit(folder)
    return folder


def wait_for(port, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


@pytest.fixture
def serve(tmp_path):
    """Starts a server, given its command with a free port, and ends it with the test."""
    started, log = [], tmp_path / "server.log"  # a pipe that nobody reads would stop the server

    def start(command):
        port = free_port()
        with log.open("w") as out:
            started.append(subprocess.Popen(command(port), stdout=out, stderr=out))
        wait_for(port, started[-1], log)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.fixture
def folder(tmp_path):
    return f"{tmp_path}/a storage", {}


@pytest.fixture
def s3(serve, monkeypatch):
    port = serve(lambda port: [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
    server = f"http://127.0.0.1:{port}"
    assert requests.put(f"{server}/bucket", timeout=60).ok
    keys = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name in [name for name in ENVIRONMENT if name.startswith("AWS_")]:
        monkeypatch.delitem(ENVIRONMENT, name)
    for name, value in keys.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)
    return "s3://bucket/digits", {"endpointurl": server}


@pytest.fixture
def ssh(serve, tmp_path):
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not sshd:
        pytest.skip("needs sshd (Debian: openssh-server)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as the service of the package does
    place = tmp_path / "ssh"
    place.mkdir()
    for key in ("host", "user"):
        run(place, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    settings = place / "sshd_config"

    def command(port):
        settings.write_text(
            f"ListenAddress 127.0.0.1:{port}\nHostKey {place}/host\nAuthorizedKeysFile {place}/user.pub\nPidFile none\n"
            "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
            "Subsystem sftp internal-sftp\n"
        )
        return [sshd, "-D", "-e", "-f", str(settings)]

    port = serve(command)
    return f"ssh://127.0.0.1:{port}{tmp_path}/storage", {"user": getpass.getuser(), "keyfile": str(place / "user")}


def use(clone, storage):
    """Sets the storage as docs/storage.md says: the address in the repository, the rest in `config.local`."""
    url, settings = storage
    if "core.remote=storage" not in run(clone, "dvc", "config", "--list"):
        run(clone, "dvc", "remote", "add", "--default", "storage", url)
        commit(clone)
    for name, value in settings.items():
        run(clone, "dvc", "remote", "modify", "--local", "storage", name, value)
    return clone


def clone_of(source, name):
    """Clones a repository with git, beside it: without cache and outputs."""
    clone = source.parent / name
    run(source.parent, "git", "clone", "--quiet", str(source), name)
    run(clone, "dvc", "config", "--local", "core.site_cache_dir", str(clone / ".dvc/site-cache"))
    return clone


@pytest.fixture
def pushing(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "pushing", symlinks=True))


def outputs(clone):
    """The bytes of all outputs that `dvc.lock` names."""
    stages = YAML(typ="safe").load(clone / "dvc.lock")["stages"]
    places = [clone / out["path"] for stage in stages.values() for out in stage["outs"]]
    files = [path for place in places for path in [place, *place.rglob("*")] if path.is_file()]
    assert len(files) > len(places) > 30
    return {path.relative_to(clone): path.read_bytes() for path in files}


def is_clean(clone):
    up_to_date = run(clone, "dvc", "status").strip() == "Data and pipelines are up to date."
    return up_to_date and run(clone, "git", "status", "--porcelain") == ""


@pytest.mark.parametrize("kind", ["folder", "ssh", "s3"])
def test_what_one_clone_pushes_another_pulls_and_runs_nothing_that_was_run(kind, request, finished, pushing):
    storage = request.getfixturevalue(kind)
    use(pushing, storage)
    assert "it knows 10 runs of stages" in run(pushing, *PUSH)
    assert ": 0 files are new there" in run(pushing, *PUSH)
    assert run(pushing, "dvc", "status", "--cloud").strip() == "Cache and remote 'storage' are in sync."
    assert is_clean(pushing)

    pulling = use(clone_of(pushing, "pulling"), storage)
    output = run(pulling, "dvc", "pull")
    assert "files added" in output
    assert not {"ERROR", "WARNING"} & set(re.findall(r"\w+", output))
    assert is_clean(pulling)
    assert outputs(pulling) == outputs(finished)
    assert ran(run(pulling, "dvc", "repro")) == []

    # What was tried, but is not committed, is not computed again either; all outputs are absent at first.
    computing = use(clone_of(pushing, "computing"), storage)
    edit_params(computing, ANOTHER)
    output = run(computing, "dvc", "repro", "--pull")
    assert ran(output) == []
    assert "Stage 'export' is cached - skipping run, checking out outputs" in output
    assert (computing / "dvc.lock").read_bytes() == (finished.parent / "another.lock").read_bytes()
    assert outputs(computing).keys() == outputs(finished).keys()


def test_a_clone_without_storage_says_in_one_line_what_to_do(finished):
    clone = clone_of(finished, "fresh")
    for command in (PUSH, PULL):
        (line,) = run(clone, *command, check=False).splitlines()
        assert line.startswith("storage: no storage is set: `dvc remote add --default storage FOLDER-OR-ADDRESS`")


def stored(folder, clone, dependency):
    """The file of the storage that holds what `headline` reads."""
    deps = YAML(typ="safe").load(clone / "dvc.lock")["stages"]["headline"]["deps"]
    (checksum,) = [dep["md5"] for dep in deps if dep["path"] == dependency]
    return Path(folder, "files/md5", checksum[:2], checksum[2:])


def test_a_damaged_file_of_a_storage_that_is_no_folder_is_not_taken(ssh, pushing, tmp_path):
    use(pushing, ssh)
    run(pushing, *PUSH)
    file = stored(tmp_path / "storage", pushing, "metrics/export.json")
    file.chmod(0o600)
    file.write_text("{}")

    clone = use(clone_of(pushing, "pulling"), ssh)
    (line,) = [line for line in run(clone, *PULL, check=False).splitlines() if "ERROR" not in line]
    assert "lacks 1 of the outputs, or has damaged ones: metrics/export.json" in line
    assert not (clone / "metrics/export.json").exists()


def test_what_the_storage_lacks_is_named_and_computed(folder, pushing):
    use(pushing, folder)
    run(pushing, *PUSH)
    stored(folder[0], pushing, "metrics/export.json").unlink()

    clone = clone_of(pushing, "partial")
    (line,) = run(clone, *PULL, check=False).splitlines()
    assert "lacks 1 of the outputs, or has damaged ones: metrics/export.json; `make push` where they were made" in line
    assert ran(run(clone, "dvc", "repro", "--pull")) == ["export"]
    assert outputs(clone) == outputs(pushing)


def test_a_pull_does_not_ask_for_the_comparison_which_is_shared_all_the_same(folder, pushing):
    comparison = ("python", "-m", "tools.comparison", "--pull", "tiny")
    report, trained = "runs/compare-tiny/compare/REPORT.md", "compare/dvc.yaml:run@tiny"
    edit_params(pushing, ("recipes: [fast_cnn,", "recipes: [tiny]\n  # ["))
    use(pushing, (os.path.relpath(folder[0], pushing), {}))
    assert trained in ran(run(pushing, *comparison))
    run(pushing, *PUSH)

    pulling = clone_of(pushing, "pulling")
    assert run(pulling, *PULL).endswith("files fetched; the outputs are those of dvc.lock\n")
    assert is_clean(pulling)
    assert trained not in ran(run(pulling, *comparison))
    assert (pulling / report).read_bytes() == (pushing / report).read_bytes()
    # The project of the comparison has the address too, although that is relative to a file of this one.
    assert run(pulling / "runs/compare-tiny", "dvc", "push").strip() == "Everything is up to date."

import subprocess
import sys

import pytest

from tools import promoted


@pytest.fixture
def tag(tmp_path, monkeypatch):
    """Makes tags as GTO does, a second apart, in a repository with two registered versions."""
    monkeypatch.chdir(tmp_path)
    for key in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(key, "x@localhost")
    subprocess.run(["git", "init", "--quiet"], check=True)
    made = []

    def make(name, commit="HEAD"):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1_000_000_000 + len(made)} +0000")
        subprocess.run(["git", "tag", "--annotate", "--message", name, name, f"{commit}^{{commit}}"], check=True)
        made.append(name)

    for version in ("v1.0.0", "v2.0.0"):
        subprocess.run(["git", "commit", "--quiet", "--allow-empty", "--message", version], check=True)
        make(f"digits@{version}")
    return make


def test_the_last_assignment_counts_also_that_of_a_lower_version(tag):
    for number, version in enumerate(("v1.0.0", "v2.0.0", "v1.0.0"), 1):
        tag(f"digits#prod#{number}", f"digits@{version}")
        assert promoted.standing("prod") == (version, f"digits@{version}")


def test_a_version_that_is_taken_out_gives_way_to_the_one_before(tag):
    tag("digits#prod#1", "digits@v1.0.0")
    tag("digits#prod#2", "digits@v2.0.0")
    tag("digits#prod!#3", "digits@v2.0.0")
    assert promoted.standing("prod") == ("v1.0.0", "digits@v1.0.0")


@pytest.mark.parametrize("stage", ["prod", "no stage"])
def test_an_empty_stage_is_one_line_that_says_what_to_do(tag, monkeypatch, fails, stage):
    monkeypatch.setattr(sys, "argv", ["promoted", stage])
    message = f"promoted: no version of digits is in stage {stage}: gto register digits, then gto assign digits "
    assert fails(promoted).startswith(message)
    subprocess.run(["git", "tag", "--delete", "digits@v1.0.0", "digits@v2.0.0"], check=True)
    assert fails(promoted).startswith(message)


def test_the_models_of_that_version_are_fetched(tag, monkeypatch, capsys):
    tag("digits#prod#1", "digits@v1.0.0")
    kept = []
    monkeypatch.setattr(promoted.experiment, "keep", lambda *arguments: kept.append(arguments))
    monkeypatch.setattr(sys, "argv", ["promoted", "prod"])
    promoted.main()
    assert [(name, outputs, str(folder)) for name, outputs, folder in kept] == [
        ("digits@v1.0.0", ["models"], "runs/prod")
    ]
    assert capsys.readouterr().out == "digits v1.0.0 is in stage prod: runs/prod/models\n"

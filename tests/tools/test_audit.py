import datetime
import json
import os
import sys

import pytest

from digits.core import errors
from digits.core.errors import UserError
from tests.conftest import ROOT
from tools import audit, lock

TODAY = datetime.date(2026, 11, 26)
SOUND = {"name": "good", "version": "1.0", "vulns": []}
HOLE = {"id": "PYSEC-1", "aliases": ["CVE-2026-1", "GHSA-a"], "fix_versions": ["2.1"], "description": "..."}
BAD = {"name": "bad", "version": "2.0", "vulns": [HOLE]}


@pytest.fixture
def database(tmp_path, monkeypatch):
    """A stand-in for pip-audit that prints what it is given, and keeps its arguments."""

    def install(output, complaint="", status=0):
        script = tmp_path / "bin" / "pip-audit"
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'asked')!r}, 'w').write(' '.join(sys.argv))\n"
            f"sys.stdout.write({output!r})\nsys.stderr.write({complaint!r})\nsys.exit({status})\n"
        )
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script.parent / "python"))
        monkeypatch.chdir(tmp_path)

    return install


def reported(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.fixture
def locks(tmp_path):
    path = tmp_path / "requirements.lock"
    good, bad = (
        f"{name} \\\n    --hash=sha256:{'abc'[n] * 64}" for n, name in enumerate(("good==1.0", "bad==2.0 ; x"))
    )
    path.write_text(f"{good} \\\n    --hash=sha256:{'c' * 64}\n{bad}\n")
    return [path]


def test_the_locks_are_read_as_they_are(database, locks, tmp_path):
    database(reported(SOUND, BAD), status=1)
    assert audit.asked(locks) == [SOUND, BAD]
    asked = (tmp_path / "asked").read_text()
    assert "--disable-pip --require-hashes" in asked
    assert f"--requirement {locks[0]}" in asked


def test_a_database_that_cannot_be_reached_is_no_good_news(database, locks):
    database("", "Traceback:\n ...\nConnectionError: Failed to resolve 'pypi.org'\n", status=1)
    with pytest.raises(UserError, match=r"cannot be asked, so nothing was checked: ConnectionError: Failed to resolve"):
        audit.asked(locks)


def test_an_index_without_a_database_is_no_good_news(database, locks):
    # A mirror that serves packages only: pip-audit skips each package and says that nothing was found.
    database(
        reported(SOUND, {"name": "bad", "skip_reason": "Dependency not found on PyPI"}), "No known vulnerabilities"
    )
    with pytest.raises(UserError, match=r"does not tell of 1 of 2 packages .* not checked: bad"):
        audit.asked(locks)


def test_without_the_program_it_says_how_to_get_it(locks, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="no pip-audit in this environment: `make audit`"):
        audit.asked(locks)


def exempt(**changes):
    known = {"id": "GHSA-a", "package": "bad", "reason": "never called", "until": datetime.date(2027, 1, 1)}
    return [audit.Exempt(**{**known, **changes})]


def test_what_is_known_is_told_with_the_release_that_mends_it():
    (finding,) = audit.findings([SOUND, BAD])
    assert str(finding) == "bad 2.0: CVE-2026-1, GHSA-a, PYSEC-1; fixed in 2.1"
    assert audit.judged([finding], [], TODAY) == ([finding], [])


@pytest.mark.parametrize("name", ["GHSA-a", "CVE-2026-1", "PYSEC-1"])
def test_an_exemption_counts_by_any_of_its_names_until_its_day(name):
    found = audit.findings([BAD])
    left, notes = audit.judged(found, exempt(id=name), TODAY)
    assert (left, notes) == ([], [f"exempt: bad {name}, until 2027-01-01: never called"])
    left, notes = audit.judged(found, exempt(until=TODAY), TODAY)
    assert left == found
    assert "its time is over" in notes[0]


@pytest.mark.parametrize("changes", [{"id": "GHSA-b"}, {"package": "other"}])
def test_an_exemption_of_something_else_is_none(changes):
    found = audit.findings([BAD])
    left, notes = audit.judged(found, exempt(**changes), TODAY)
    assert left == found
    assert "not found any more: remove it" in notes[0]


@pytest.mark.parametrize("entry", ["- id: a", "- {id: a, package: b, reason: c, until: soon}", "- 3", "a: b"])
def test_an_exemption_that_lacks_something_is_told(tmp_path, entry):
    path = tmp_path / "exceptions.yaml"
    path.write_text(entry)
    with pytest.raises(UserError, match=r"exceptions\.yaml: "):
        audit.exemptions(path)


def test_the_committed_exemptions_can_be_read():
    audit.exemptions()


def test_the_bill_lists_each_package_once_with_its_hashes(locks):
    components = audit.bill([*locks, *locks])["components"]
    assert [entry["purl"] for entry in components] == ["pkg:pypi/bad@2.0", "pkg:pypi/good@1.0"]
    (reference,) = components[1]["externalReferences"]
    assert [entry["content"] for entry in reference["hashes"]] == ["a" * 64, "c" * 64]


def test_the_bill_of_the_project_has_what_its_locks_have():
    locks = [ROOT / name for name in (lock.BASE, *lock.ON_TOP, lock.INSTALLER)]
    names = {entry["name"] for entry in audit.bill(locks)["components"]}
    assert {"tensorflow", "tensorflow-cpu", "keras", "dvc", "gradio", "pytest", "uv"} <= names
    assert audit.bill(locks) == audit.bill(locks)


@pytest.fixture
def run(database, locks, monkeypatch):
    """Runs the command on these packages."""

    def call(*packages):
        database(reported(*packages))
        monkeypatch.setattr(lock, "BASE", locks[0])
        monkeypatch.setattr(lock, "ON_TOP", {})
        monkeypatch.setattr(lock, "INSTALLER", locks[0])
        monkeypatch.setattr(sys, "argv", ["audit"])
        errors.run(audit.main)

    return call


def test_where_nothing_is_known_there_is_a_bill_and_a_line(run, capsys, tmp_path):
    run(SOUND)
    assert capsys.readouterr().out.endswith("no other known vulnerability\n")
    assert json.loads((tmp_path / "runs/sbom.json").read_text())["bomFormat"] == "CycloneDX"
    assert os.listdir(tmp_path / "runs") == ["sbom.json"]


def test_a_known_vulnerability_fails(run, capsys):
    with pytest.raises(SystemExit, match="known vulnerabilities: 1; run `make lock UPGRADE=1`, or give a reason in"):
        run(SOUND, BAD)
    assert "bad 2.0: CVE-2026-1" in capsys.readouterr().out

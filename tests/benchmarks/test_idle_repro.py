from benchmarks import idle_repro


def test_an_empty_project_has_nothing_to_do(tmp_path):
    idle_repro.make_empty_project(tmp_path, 3)
    assert (tmp_path / "file3").read_text() == "0\n"
    assert "up to date" in idle_repro.repro(tmp_path)

from benchmarks import machine


def test_the_machine_is_told_without_its_name():
    assert set(machine.describe()) == {"processor", "cores", "python"}

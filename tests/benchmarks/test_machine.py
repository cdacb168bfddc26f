from benchmarks import machine


def test_the_machine_is_told_without_its_name():
    found = machine.describe()
    assert set(found) - {"tensorflow", "tensorflow-cpu"} == {"processor", "instructions", "cores", "python", "keras"}
    assert {"tensorflow", "tensorflow-cpu"} & set(found)
    assert all(name.startswith("avx") for name in found["instructions"])

import pytest

from digits import params
from digits.core.errors import UserError
from tests.conftest import ROOT
from tests.digits.params.conftest import GOOD


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 20", "seed: 20\nseed: 21", "not readable as YAML: while constructing a mapping"),
        ("seed: 20", "seed: [", "not readable as YAML"),
    ],
)
def test_what_is_no_yaml(complaint, old, new, said):
    assert said in complaint(old, new)


@pytest.mark.parametrize("text", ["", "- a list", "word"])
def test_no_mapping_is_refused(load, text):
    with pytest.raises(UserError, match="valid dictionary"):
        load(text)


def test_all_problems_are_told_at_once(load):
    text = GOOD.replace("seed: 20", "seed: x").replace("threads: 2", "threads: 0")
    with pytest.raises(UserError, match=r"seed is 'x'.*processor\.threads is 0"):
        load(text)


def test_numbers_are_read_as_dvc_reads_them(load):
    # YAML 1.1 takes 1e-3 for text; DVC reads YAML 1.2, and `dvc exp run -S` writes floats this way.
    assert load(GOOD.replace("peak: 0.02 ", "peak: 1e-3 ", 1)).recipes["fast_cnn"].schedule.peak == 0.001


def test_a_missing_file_says_where_to_be(tmp_path):
    with pytest.raises(UserError, match="run from the project's root"):
        params.load(tmp_path / "params.yaml")


def test_a_recipe_is_its_base_and_its_own_keys():
    parameters = params.load(ROOT / "params.yaml")
    ours, own = parameters.bases["ours"], parameters.recipes["ensemble"]
    assert (ours["members"], own.members) == (1, 4)
    assert own.augmentation.rotation == ours["augmentation"]["rotation"]


def test_a_key_of_a_recipe_replaces_that_of_its_base_whole(complaint):
    said = complaint("    batch_size: 512\n    epochs: 7", "    loss: {reduction: sum}\n    epochs: 7")
    assert "recipes.fast_cnn.loss.labels is missing; recipes.fast_cnn.loss.label_smoothing is missing" in said


def test_a_recipe_may_hold_every_key_itself(load):
    ours = GOOD[GOOD.index("  ours:\n") + len("  ours:\n") : GOOD.index("  # As most")]
    ours = ours.replace("epochs: 20 ", "epochs: 7 ").replace("batch_size: 256 ", "batch_size: 512 ")
    text = GOOD.replace("    base: ours\n", ours, 1).replace(
        "    batch_size: 512\n    epochs: 7\n  accurate_cnn", "  accurate_cnn", 1
    )
    assert load(text).recipes == params.load(ROOT / "params.yaml").recipes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base: ours", "base: theirs", "recipes.fast_cnn.base is 'theirs': there are ours, published"),
        ("base: ours", "base: 7", "recipes.fast_cnn.base is 7: there are ours, published"),
        ("    members: 1 ", "    member: 1 ", "bases.ours: unknown key member; did you mean members?"),
        (
            "    calibrate: true ",
            "    # calibrate",
            "recipes.fast_cnn.calibrate is missing; recipes.accurate_cnn.calibrate",
        ),
    ],
)
def test_what_is_wrong_with_a_base_is_said_once(complaint, old, new, said):
    message = complaint(old, new)
    assert said in message
    assert message.count(said) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 20", "seed: " + "[" * 500 + "]" * 500),
        ("seed: 20", "seed: " + "{a: " * 500 + "}" * 500),
        ("seed: 20", "seed: " + "9" * 5001),
        ("seed: 20", "seed: 0x" + "f" * 5001),
        ("seed: 20", "seed: " + "x" * 20_000),
        ("seed: 20", 'seed: "a\\nb\\e[2J"'),
        ("recipe: fast_cnn", 'recipe: "\\uDCFF"'),
        ("precision: float32", 'precision: "\\uDCFF"'),
        ("seed: 20", "seed: !!int ''"),
        ("seed: 20", "seed: !!bool maybe"),
        ("seed: 20", "seed: !!timestamp x"),
        ("seed: 20", "seed: 2020-13-45"),
        ("recipe: fast_cnn", 'recipe: "fast\\ncnn"'),
        ("recipe: fast_cnn", "recipe: " + "x" * 20_000),
        ("base: ours", 'base: "our\\ns"'),
        ("base: ours", "base: [ours]"),
        ("  fast_cnn:", '  "fast\\ncnn":'),
        ("  fast_cnn:", f"  {'x' * 900}:"),
        ("processor:", "? [processor, 1]\n: 2\nprocessor:"),
        ("processor:", '"pro\\ncessor":'),
    ],
)
def test_hostile_values_are_one_readable_line(complaint, old, new):
    said = complaint(old, new)
    assert said.isprintable()
    assert len(said) <= 1000


def test_shared_blocks_are_not_unfolded(complaint):
    # Each line ten times the one before: unfolded, the message would have 10^9 entries.
    lines = "\n".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 10)}]" for n in range(9))
    assert len(complaint("seed: 20", f"seed:\n{lines}")) < 500


@pytest.mark.parametrize("number", [2**31, 10**30])
def test_a_count_that_no_machine_reaches_is_refused(complaint, number):
    assert "recipes.fast_cnn.epochs is " in complaint("    epochs: 7", f"    epochs: {number}")

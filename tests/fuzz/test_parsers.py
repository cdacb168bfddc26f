"""Ten thousand damaged or hostile inputs for each parser of ours: it answers, or refuses in one readable line.

Any other exception is a bug. The inputs are the same on every run (`mutations.py`).
"""

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from apps.demo import drawing, photograph
from digits.core import errors, files, paths
from digits.core.errors import UserError
from digits.datasets import idx, raw
from digits.drawing import strokes
from digits.export import inventory
from digits.models import metadata, provenance
from digits.params import loading
from digits.serving import image_file
from digits.splits import tfrecords
from tests.conftest import ROOT, make_split
from tests.digits.conftest import about_it
from tests.digits.datasets.test_idx import NAMES, write_set
from tests.fuzz.mutations import changed, mutants

pytestmark = pytest.mark.fuzz

COUNT = 10_000
JSON_TOKENS = (b"null", b"NaN", b"1e999", b"-1", b'"\\ud800"', b"[" * 5000, b"9" * 5001, b"\0", b"\xff", b"{}", b'""')
YAML_TOKENS = (
    *(
        b"[" * 500,
        b"9" * 5001,
        b"!!int x",
        b"!!float ''",
        b"!!bool maybe",
        b"!!timestamp x",
        b"!!binary \xff",
        b"? ",
        b"&a ",
    ),
    *(
        b"*a",
        b"<<: *a\n",
        b"\n  ",
        b": ",
        b"- ",
        b"{",
        b"%YAML 9.9\n---\n",
        b"\0",
        b"\xff",
        b"2020-13-45",
        b"0x" + b"f" * 9000,
    ),
    *(b"|", b">", b"'", b'"', b"#", b"!!python/object:os.system x", b"1:60", b"0b2", b".inf", b"\t", b"---\n"),
)


def refuses_in_one_line(parse: Callable[[], object]) -> bool:
    """Whether a parser refuses; fails where it does in another way than by one readable line."""
    try:
        parse()
    except UserError as error:
        message = str(error)
    else:
        return False
    assert message.isprintable()
    assert len(message) <= errors.LIMIT
    return True


def check_all(inputs: Iterator[bytes], path: Path, parse: Callable[[Path], object]) -> None:
    """Writes each input to a file and reads it; most must be refused, else the inputs are not damaged."""
    refused = 0
    for content in inputs:
        path.write_bytes(content)
        refused += refuses_in_one_line(partial(parse, path))
    assert refused > COUNT / 20


def variants(path: Path) -> Iterator[bytes]:
    """Yields the JSON of a file with values and keys changed."""
    draw, content = random.Random(0), json.loads(path.read_text())
    return (json.dumps(changed(draw, content), skipkeys=True, default=str).encode() for _ in range(COUNT))


def blocks_of_params() -> list[bytes]:
    lines = (ROOT / paths.PARAMS).read_bytes().splitlines(keepends=True)
    lines = [line.partition(b" #")[0].rstrip() + b"\n" for line in lines if line.strip() and not line.startswith(b"#")]
    return [b"".join(lines[start : start + 8]) for start in range(0, len(lines), 8)]


def test_the_text_of_parameters(tmp_path):
    check_all(mutants(blocks_of_params(), COUNT, YAML_TOKENS), tmp_path / "params.yaml", loading.load)


def test_the_values_of_parameters():
    draw, content = random.Random(0), YAML(typ="safe").load(ROOT / paths.PARAMS)
    refused = sum(refuses_in_one_line(partial(loading.check, changed(draw, content))) for _ in range(COUNT))
    assert refused > COUNT / 2


def test_json(tmp_path):
    good = [b'{"a": [1, 2.5, "b"], "c": {"d": null}}', b'{"accuracy": 0.99, "rows": [{"loss": 1e-3}, {}]}']
    check_all(mutants(good, COUNT, JSON_TOKENS), tmp_path / "a.json", lambda path: files.read_json(path, ["accuracy"]))


def test_csv(tmp_path):
    good = [b"name,value\na,1.5\nb,2\n", b'name,value\n"a ""b"", c",-1e-3\n']
    tokens = (b'"', b",", b"\n", b"\r", b"\0", b"nan", b"x" * 200_000, b"\xff")
    check_all(
        mutants(good, COUNT, tokens),
        tmp_path / "a.csv",
        lambda path: files.read_csv(path, {"name": str, "value": float}),
    )


@pytest.fixture
def arrays(tmp_path):
    """The content of a file of arrays."""
    files.write_arrays(
        tmp_path / "good.npz", {"a": np.arange(50), "b": np.eye(3, dtype=np.float32), "meta": np.array("x")}
    )
    return (tmp_path / "good.npz").read_bytes()


def test_arrays(tmp_path, arrays):
    check_all(mutants([arrays], COUNT), tmp_path / "a.npz", lambda path: files.read_arrays(path, ["a"]))


def test_arrays_whose_checksum_is_right(tmp_path, arrays):
    # Not damage, but malice: whoever writes the file computes the checksum, too.
    tokens = (b"|O", b"<f8", b"'shape': (9999999999999,)", b"PK\x03\x04", b"PK\x05\x06", b"c__builtin__\nexec\n")
    inputs = (content + files._checksum(content) for content in mutants([arrays[: -files.CHECKSUM]], COUNT, tokens))
    check_all(inputs, tmp_path / "a.npz", lambda path: files.read_arrays(path, ["a"]))


def test_metadata(tmp_path):
    about_it().write(tmp_path / "good.json")
    check_all(variants(tmp_path / "good.json"), tmp_path / "about.json", metadata.read)


def test_the_inventory(tmp_path):
    about_it().write(tmp_path / "about.json")
    (tmp_path / "model.tflite").write_bytes(b"model")
    inventory.write(tmp_path / "formats.json", {"model.tflite": 0.9})
    model, about = tmp_path / "model.tflite", tmp_path / "about.json"

    def parse(path):
        inventory.check(model, about)
        inventory.accuracy(model)

    check_all(variants(tmp_path / "formats.json"), tmp_path / "formats.json", parse)


def test_the_card_of_raw_data(tmp_path, dataset):
    raw.write(tmp_path / "raw", dataset)
    card = tmp_path / "raw" / raw.CARD
    check_all(variants(card), card, lambda path: raw.read(path.parent))


def test_the_spec_of_shards(tmp_path):
    splits = {"train": make_split(4, seed=0), "validation": make_split(2, seed=1)}
    tfrecords.write(tmp_path, splits, name="bars", classes=["a", "b", "c"], shards=2)
    spec = tmp_path / tfrecords.SPEC
    check_all(variants(spec), spec, lambda path: tfrecords.find(path.parent, "train"))


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["packed", "plain"])
def test_files_in_the_format_of_mnist(tmp_path, pack):
    write_set(tmp_path, pack=pack)
    path = tmp_path / f"{NAMES[0]}.gz"
    tokens = (b"\0\0\x08\xff", b"\xff\xff\xff\xff", b"\x1f\x8b", b"\x1f\x8b\x08\xff", b"\0" * 16)
    inputs = mutants([path.read_bytes()], COUNT // 2, tokens)
    check_all(inputs, path, lambda path: idx.read(path.parent, "mnist", {}))


RECORD = {"recipe": "tiny", "seed": 1}


def keras_archive() -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("metadata.json", json.dumps({provenance.KEY: RECORD}))
    return buffer.getvalue()


def litert_archive() -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(bytes(50)), "a") as archive:
        archive.writestr(provenance.MEMBER, json.dumps(RECORD))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "good"), [("m.keras", keras_archive()), ("m.tflite", litert_archive())])
def test_records_in_archives(tmp_path, name, good):
    tokens = (*JSON_TOKENS, b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06")
    check_all(mutants([good], COUNT // 2, tokens), tmp_path / name, provenance.read)


def test_records_in_onnx_files(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], []))
    onnx.helper.set_model_props(model, {provenance.KEY: json.dumps(RECORD)})
    check_all(mutants([model.SerializeToString()], COUNT, JSON_TOKENS), tmp_path / "m.onnx", provenance.read)


def test_drawings_in_a_file(tmp_path):
    entry = json.loads((ROOT / paths.DRAWINGS).read_text())["drawings"][0]
    entry["strokes"] = [stroke[:8] for stroke in entry["strokes"]]
    good = json.dumps({"drawings": [entry]}).encode()
    check_all(mutants([good], COUNT, JSON_TOKENS), tmp_path / "drawings.json", strokes.read)


def test_strokes_from_the_page():
    draw = random.Random(0)
    content = {"size": 280, "strokes": [{"width": 20, "points": [10, 20.5, 30, 40]}, {"width": 3, "points": [1, 2]}]}
    texts = (json.dumps(changed(draw, content), skipkeys=True, default=str) for _ in range(COUNT))
    assert sum(refuses_in_one_line(partial(drawing.parse, text)) for text in texts) > COUNT / 20


def test_photographs_from_the_page():
    url = b"data:image/png;base64," + base64.b64encode(bytes(range(40)))
    inputs = mutants([url], COUNT, (b"=", b",", b"data:", b"\xff", b"\0", b" "))
    assert sum(refuses_in_one_line(partial(photograph.parse, text.decode("latin-1"))) for text in inputs) > COUNT / 20


def pictures() -> list[bytes]:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8))
    kinds = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
    contents = []
    for kind in kinds:
        picture.save(buffer := io.BytesIO(), kind)
        contents.append(buffer.getvalue())
    return contents


@pytest.mark.filterwarnings("ignore")  # Pillow's, about odd files
def test_image_files():
    tokens = (b"\xff\xd8", b"IHDR\xff\xff\xff\xff", b"II*\0", b"RIFF", b"GIF89a\xff\xff\xff\xff")
    inputs = mutants(pictures(), COUNT, tokens)
    assert sum(refuses_in_one_line(partial(image_file.decode, content)) for content in inputs) > COUNT / 20

import asyncio
import io
import json
import re
import socket
import time
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from apps import limits
from apps.api import app, rate_limit
from benchmarks import hostile
from digits.drawing import framing, strokes
from tests.apps.conftest import encoded
from tests.conftest import wait_until

JSON = {"Content-Type": "application/json"}


def png(client, content, kind="image/png"):
    return client.post("/predict", content=content, headers={"Content-Type": kind})


def digits(response):
    assert response.status_code == 200, response.text
    return [found["digit"] for found in response.json()["predictions"]]


def refusal(response, status):
    """A refusal says why, in one line, and does not show what the program looks like inside."""
    assert response.status_code == status
    reason = response.json()["detail"]
    assert reason
    assert "\n" not in reason
    assert "Traceback" not in reason
    return reason


def test_an_image_file_is_read(client, three, predictor):
    response = png(client, encoded(three))
    assert digits(response) == ["3"]
    assert response.json()["model"] == predictor.digest
    found = response.json()["predictions"][0]
    assert found["verdict"] == "sure"
    assert list(found["probabilities"]) == list("0123456789")
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_every_digit_is_read(client, alphabet):
    drawn = [drawing for (label, _), drawing in alphabet.items() if label is not None]
    files = [("file", encoded(strokes.render(drawing))) for drawing in drawn]
    found = digits(client.post("/predict", files=files))
    right = sum(digit == str(drawing.label) for digit, drawing in zip(found, drawn, strict=True))
    assert right >= 0.9 * len(drawn)


# Losslessly the same picture: the answer may not differ by a digit.
def test_the_same_picture_gets_the_same_answer_whichever_way_it_comes(client, three):
    expected = png(client, encoded(three)).json()
    colours = np.repeat(three[..., None], 3, axis=-1)
    on_paper = np.concatenate([colours, np.full_like(three[..., None], 255)], axis=-1)
    for image in (three, colours, on_paper):
        for kind in ("PNG", "TIFF", "WEBP", "BMP"):
            if not (kind == "BMP" and image.shape[-1] == 4):
                options = {"lossless": True} if kind == "WEBP" else {}
                assert png(client, encoded(image, kind, **options), f"image/{kind.lower()}").json() == expected
    assert png(client, encoded(three), "application/octet-stream").json() == expected
    assert png(client, encoded(three), "IMAGE/PNG; charset=x").json() == expected
    assert client.post("/predict", files={"file": encoded(three)}).json() == expected
    assert client.post("/predict", files={"file": ("seven.jpg", encoded(three), "text/plain")}).json() == expected


def test_the_same_28_pixels_get_the_same_answer_as_json(client, three):
    small = framing.frame(three)
    expected = png(client, encoded(small)).json()
    for content in (small.tolist(), [small.tolist()], small.astype(float).tolist()):
        assert client.post("/predict", json=content).json() == expected
    alone = expected["predictions"][0]
    both = client.post("/predict", json=[small.tolist(), (255 - small).tolist()]).json()["predictions"]
    # In a batch the sums are done in another order; dark on light is no frame yet, and framing resamples it.
    for one, within in zip(both, (1e-3, 0.05), strict=True):
        assert one == {**alone, "probabilities": pytest.approx(alone["probabilities"], abs=within)}


def test_ink_on_transparent_paper_is_read(client, three):
    drawn = np.zeros((*three.shape, 4), np.uint8)
    drawn[..., 3] = 255 - three
    assert digits(png(client, encoded(drawn))) == ["3"]


def test_a_drawing_on_shaded_noisy_paper_is_read(client, three):
    random = np.random.default_rng(0)
    large = np.asarray(Image.fromarray(three).resize((900, 700))) / 255
    light = np.linspace(0.75, 0.9, 900)[None, :, None] * np.array([1, 0.96, 0.85])
    photo = 255 * (0.2 + 0.8 * large[..., None]) * light + random.normal(0, 3, (700, 900, 3))
    image = np.clip(photo, 0, 255).astype(np.uint8)
    assert digits(png(client, encoded(image, "JPEG", quality=80), "image/jpeg")) == ["3"]


def test_several_files_of_a_form_are_answered_in_their_order(client, alphabet):
    wanted = [(7, "sharp"), (3, "smooth"), (1, "stick")]
    files = [("file", encoded(strokes.render(alphabet[key]))) for key in wanted]
    assert digits(client.post("/predict", files=files)) == ["7", "3", "1"]


def test_the_box_of_a_digit_is_told(client, three):
    ink = three < 128
    (top, bottom), (left, right) = (
        (found[0], found[-1] + 1) for found in map(np.flatnonzero, (ink.any(1), ink.any(0)))
    )
    height, width = three.shape
    [[box]] = [found["boxes"] for found in png(client, encoded(three)).json()["predictions"]]
    assert box == pytest.approx([left / width, top / height, right / width, bottom / height], abs=0.02)
    [[box]] = [
        found["boxes"]
        for found in client.post("/predict", json=[[0] * 12 + [255] * 4 + [0] * 12] * 28).json()["predictions"]
    ]
    assert box == [0, 0, 1, 1]  # in a small image there is one at most


def test_several_digits_in_a_picture_are_told_with_their_boxes(client, line):
    [found] = png(client, encoded(line)).json()["predictions"]
    assert {**found, "boxes": None} == {
        "verdict": "several digits",
        "digit": None,
        "probabilities": {},
        "boxes": None,
    }
    one, seven, three = sorted(found["boxes"])
    for left, top, right, bottom in (one, seven, three):
        assert 0 < left < right < 1
        assert 0 < top < bottom < 1
    assert one[2] < seven[0]
    assert seven[2] < three[0]


def each_digit(response):
    """The digits that were read in each picture, from an answer to `?each=true`."""
    assert response.status_code == 200, response.text
    return [[answer["digit"] for answer in found["digits"]] for found in response.json()["predictions"]]


def test_each_digit_is_read_from_left_to_right(client, line, predictor):
    whole = png(client, encoded(line)).json()["predictions"][0]["boxes"]
    assert whole != sorted(whole), "the most prominent first"
    kind = {"Content-Type": "image/png"}
    response = client.post("/predict?each=true", content=encoded(line), headers=kind)
    assert each_digit(response) == [["1", "7", "3"]]
    assert response.json()["model"] == predictor.digest
    answers = response.json()["predictions"][0]["digits"]
    assert [answer["boxes"] for answer in answers] == [[box] for box in sorted(whole)]
    assert all(sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4) for answer in answers)
    assert "several digits" in client.post("/predict?each=false", content=encoded(line), headers=kind).text


def test_each_digit_of_several_pictures_is_read_also_where_nothing_is_drawn(client, line, three):
    empty = np.full((150, 150), 255, np.uint8)
    files = [("file", encoded(image)) for image in (empty, line, three, empty, line[:, ::-1])]
    read = each_digit(client.post("/predict?each=1", files=files))
    assert read[:4] == [[], ["1", "7", "3"], ["3"], []]
    assert len(read[4]) == 3
    small = [framing.frame(three).tolist(), np.zeros((28, 28), int).tolist()]
    assert each_digit(client.post("/predict?each=true", json=small)) == [["3"], []]


def test_no_digit_to_read_is_no_error(client):
    response = client.post("/predict?each=true", json=np.zeros((28, 28), int).tolist())
    assert each_digit(response) == [[]]


@pytest.mark.parametrize("query", ["each=maybe", "each=", "each=1e308"])
def test_a_wrong_query_is_refused(client, three, query):
    response = client.post(f"/predict?{query}", content=encoded(three), headers={"Content-Type": "image/png"})
    assert "each" in refusal(response, 422)


def test_a_part_of_a_form_needs_no_file_name(client, three):
    boundary = b"x" * 20
    head = b'Content-Disposition: form-data; name="file"\r\nContent-Type: image/png\r\n\r\n'
    body = b"--" + boundary + b"\r\n" + head + encoded(three) + b"\r\n--" + boundary + b"--\r\n"
    assert digits(png(client, body, f"multipart/form-data; boundary={boundary.decode()}")) == ["3"]


def test_a_full_batch_is_answered(client, three):
    small = framing.frame(three).tolist()
    assert digits(client.post("/predict", json=[small] * limits.IMAGES)) == ["3"] * limits.IMAGES


def test_empty_paper_is_no_digit(client):
    found = png(client, encoded(np.full((100, 100), 255, np.uint8))).json()["predictions"]
    assert found == [{"verdict": "nothing drawn", "digit": None, "probabilities": {}, "boxes": []}]


def test_empty_paper_among_others_keeps_the_order(client, three):
    small, empty = framing.frame(three).tolist(), np.zeros((28, 28), int).tolist()
    found = client.post("/predict", json=[empty, small, empty]).json()["predictions"]
    assert [each["verdict"] == "nothing drawn" for each in found] == [True, False, True]


def test_a_body_that_says_it_is_too_long_is_refused_unread(client):
    headers = {"Content-Type": "image/png", "Content-Length": str(limits.BODY_BYTES + 1)}
    assert "8 MB" in refusal(client.post("/predict", content=b"x", headers=headers), 413)


def test_a_body_that_is_too_long_without_saying_so_is_refused(service):
    def chunks():
        for _ in range(3 * limits.BODY_BYTES // 2**16):
            yield bytes(2**16)

    response = httpx.post(service.address + "/predict", content=chunks(), headers={"Content-Type": "image/png"})
    assert "8 MB" in refusal(response, 413)


def test_as_much_as_allowed_is_read(client):
    assert "no readable image" in refusal(png(client, bytes(limits.BODY_BYTES)), 422)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", ";", '"'])
def test_an_unknown_content_type_is_refused(client, kind):
    refusal(png(client, b"[]", kind), 415)


def test_a_truncated_file_is_refused(client, three):
    content = encoded(three)
    for length in (0, 1, 8, 40, len(content) // 2):
        refusal(png(client, content[:length]), 422)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF"])
def test_a_bomb_is_refused_by_what_its_header_says(client, kind):
    file = io.BytesIO()
    Image.new("1" if kind in ("PNG", "TIFF") else "P", (1, 1)).save(file, kind)
    content = bytearray(file.getvalue())
    if kind == "PNG":
        file = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(file, kind)
        content = bytearray(file.getvalue())
        assert len(content) < 2**17
    elif kind == "BMP":
        content[18:26] = (20_000).to_bytes(4, "little") * 2
    elif kind == "GIF":
        content[6:10] = (20_000).to_bytes(2, "little") * 2
    else:
        file = io.BytesIO()
        Image.new("1", (20_000, 2_000)).save(file, kind, compression="group4")
        content = bytearray(file.getvalue())
    assert "at most 24 megapixels" in refusal(png(client, bytes(content)), 422)


def test_a_form_that_is_none_is_refused(client):
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 999):
        refusal(png(client, b"--x\r\nContent-Disposition: nonsense\r\n\r\n\r\n--x--\r\n", kind), 422)


def test_a_form_with_other_fields_is_refused(client, three):
    refusal(client.post("/predict", files={"picture": encoded(three)}), 422)
    refusal(client.post("/predict", files={"file": encoded(three)}, data={"label": "3"}), 422)


def test_a_form_with_too_many_files_is_refused(client, three):
    files = [("file", encoded(three))] * (limits.IMAGES + 1)
    assert str(limits.IMAGES) in refusal(client.post("/predict", files=files), 422)


def test_one_bad_file_refuses_the_form(client, three):
    refusal(client.post("/predict", files=[("file", encoded(three)), ("file", b"GIF89a")]), 422)


def test_a_client_that_asks_too_often_is_told_when_to_come_again(serve, three, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(monotonic=lambda: now[0]))
    client = serve(rate=2)
    responses = [png(client, encoded(three)) for _ in range(6)]
    refused = [response for response in responses if response.status_code != 200]
    assert len(refused) == 4
    for response in refused:
        refusal(response, 429)
        assert response.headers["retry-after"] == "1"
    assert client.get("/health").status_code == 200  # who watches it is not counted
    now[0] += 1
    assert png(client, encoded(three)).status_code == 200


def test_when_too_many_wait_a_request_is_told_to_come_again(serve, three, monkeypatch):
    monkeypatch.setattr(limits, "FRAMES_WAITING", 1)
    client, small = serve(), framing.frame(three).tolist()
    response = client.post("/predict", json=[small, small])
    refusal(response, 503)
    assert response.headers["retry-after"] == "1"
    assert client.post("/predict", json=small).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/predict/", "/models", "/static/../app.py", "/static/%2e%2e/x"])
def test_other_paths_are_not_there(client, path):
    assert client.get(path, follow_redirects=False).status_code in (307, 404)
    assert client.get(path).status_code in (404, 405)


def test_other_methods_are_not_allowed(client):
    for method, path in [("GET", "/predict"), ("PUT", "/predict"), ("POST", "/health"), ("DELETE", "/metrics")]:
        response = client.request(method, path)
        assert response.status_code == 405
        assert response.headers["allow"]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/", "/static/swagger-ui.css"])
def test_what_can_be_read_answers_head_too(client, path):
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""


def test_pages_of_other_web_sites_may_not_read_the_answers(client, three):
    headers = {"Origin": "https://example.org", "Content-Type": "image/png"}
    response = client.post("/predict", content=encoded(three), headers=headers)
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_pages_of_web_sites_that_were_named_may(predictor, three):
    with TestClient(app.create(predictor, origins=["https://example.org"])) as client:
        for origin, allowed in [("https://example.org", "https://example.org"), ("https://example.com", None)]:
            headers = {"Origin": origin, "Content-Type": "image/png"}
            response = client.post("/predict", content=encoded(three), headers=headers)
            assert response.headers.get("access-control-allow-origin") == allowed
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            asked["Access-Control-Request-Headers"] = "content-type"
            response = client.options("/predict", headers=asked)
            assert response.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in response.headers


def test_what_is_made_to_hurt_is_answered_or_refused(client):
    # One test of all: to make these requests takes longer than to answer most of them.
    for name, (kind, content) in hostile.requests().items():
        response = png(client, content, kind)
        assert response.status_code in (200, 413, 422), name
        if response.status_code != 200:
            refusal(response, response.status_code)


def test_pixels_on_another_scale_are_refused_with_the_reason(client, three):
    small = framing.frame(three) // 16
    assert "scale them to 0 to 255" in refusal(client.post("/predict", json=small.tolist()), 422)


def test_json_has_a_limit_of_its_own(client):
    content = json.dumps([[[255] * 28] * 28] * limits.IMAGES, indent=1)
    assert client.post("/predict", content=content, headers=JSON).status_code == 200
    headers = {**JSON, "Content-Length": str(limits.JSON_BYTES + 1)}
    assert "512 kB" in refusal(client.post("/predict", content=b"[]", headers=headers), 413)


def test_health_tells_which_model_runs(client, predictor):
    found = client.get("/health").json()
    assert found["status"] == "ok"
    assert found["model"] == predictor.digest
    assert found["dataset"] == predictor.about.dataset
    assert 0.9 < found["test_accuracy"] <= 1


def test_the_page_and_all_that_it_loads_come_from_the_service(client):
    page = client.get("/")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 3
    for address in loaded:
        assert "//" not in address
        assert client.get(f"/{address}").status_code == 200
    assert "openapi.json" in page.text


def test_64_requests_at_once_each_get_their_own_answer(service, alphabet):
    keys = [key for key in alphabet if key[0] is not None]
    frames = [framing.frame(strokes.render(alphabet[keys[number % len(keys)]])).tolist() for number in range(64)]

    async def ask():
        async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:
            alone = [(await client.post("/predict", json=frame)).json() for frame in frames[:8]]
            together = await asyncio.gather(*(client.post("/predict", json=frame) for frame in frames))
            return alone, [response.json() for response in together]

    alone, together = asyncio.run(ask())
    for one, other in zip(alone, together, strict=False):
        first, second = one["predictions"][0], other["predictions"][0]
        assert first["digit"] == second["digit"]
        # In a batch the sums are done in another order.
        assert first["probabilities"] == pytest.approx(second["probabilities"], abs=1e-3)
    best = [max(found["predictions"][0]["probabilities"].items(), key=lambda item: item[1])[0] for found in together]
    assert sum(digit == str(keys[n % len(keys)][0]) for n, digit in enumerate(best)) >= 58


def test_clients_that_go_away_do_not_hurt_others(service, three):
    port = int(service.address.rpartition(":")[2])
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    body = json.dumps([framing.frame(three).tolist()] * 64).encode()
    for sent in (b"", head, head % len(body) + body[:100], head % len(body) + body):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(sent)

    def answered():
        png = {"content": encoded(three), "headers": {"Content-Type": "image/png"}}
        response = httpx.post(service.address + "/predict", **png)
        return response.status_code != 503 and digits(response) == [
            "3"
        ]  # 503: those who went away are still worked for

    wait_until(answered)
    assert "Traceback" not in service.log.read_text()


def test_a_slow_large_request_does_not_keep_the_others_waiting(service, three):
    large = encoded(np.asarray(Image.fromarray(three).resize((4800, 4800))))

    async def ask():
        async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:
            slow = asyncio.create_task(client.post("/predict", content=large, headers={"Content-Type": "image/png"}))
            waited, began = [], time.perf_counter()
            while not slow.done():
                asked = time.perf_counter()
                assert (await client.get("/health")).status_code == 200
                waited.append(time.perf_counter() - asked)
            return await slow, waited, time.perf_counter() - began

    response, waited, took = asyncio.run(ask())
    assert digits(response) == ["3"]
    assert len(waited) > 3
    assert max(waited) < took / 2

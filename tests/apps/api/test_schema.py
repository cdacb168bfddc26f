import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from starlette.routing import Mount

from apps import limits
from apps.api import app, schema
from digits.drawing import framing
from tests.apps.api import images  # noqa: F401  # what is an image file
from tests.apps.conftest import encoded


@pytest.fixture
def described(client):
    return client.get("/openapi.json").json()


# The bundled Swagger UI reads no later version.
def test_the_version_is_one_that_the_page_reads(described):
    assert described["openapi"].startswith("3.0.")


def test_the_limits_are_told(described):
    text = described["info"]["description"]
    for limit in (limits.IMAGES, limits.DIGITS, framing.SIDE, limits.BODY_BYTES // 2**20, limits.PIXELS // 10**6):
        assert str(limit) in text


def test_every_path_is_measured_and_only_the_page_is_not_described(described, predictor):
    served = {route.path for route in app.create(predictor, rate=1).routes if not isinstance(route, Mount)}
    assert served == set(schema.PATHS)
    assert set(described["paths"]) == set(schema.PATHS) - {"/", "/openapi.json"}


def test_every_status_of_a_prediction_is_described(described):
    told = described["paths"]["/predict"]["post"]["responses"]
    assert set(told) == {"200", "413", "415", "422", "429", "503"}
    assert "Retry-After" in told["429"]["headers"]
    assert "Retry-After" in told["503"]["headers"]


def test_answers_are_as_described(client, described, three, line):
    def valid(path, method, response):
        content = described["paths"][path][method]["responses"][str(response.status_code)]["content"]
        jsonschema_rs.Draft4Validator(nullable(content["application/json"]["schema"])).validate(response.json())

    kind = {"Content-Type": "image/png"}
    valid("/predict", "post", client.post("/predict", content=encoded(three), headers=kind))
    valid("/predict", "post", client.post("/predict", content=encoded(three * 0), headers=kind))
    valid("/predict", "post", client.post("/predict", content=encoded(line), headers=kind))
    valid("/predict", "post", client.post("/predict?each=true", content=encoded(line), headers=kind))
    valid("/predict", "post", client.post("/predict?each=true", content=encoded(three * 0), headers=kind))
    valid("/predict", "post", client.post("/predict?each=x", content=encoded(three), headers=kind))
    valid("/predict", "post", client.post("/predict", content=b"", headers=kind))
    valid("/health", "get", client.get("/health"))


def nullable(node):
    """OpenAPI 3.0's way to allow null, as JSON Schema's."""
    if isinstance(node, list):
        return [nullable(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: nullable(each) for name, each in node.items() if name != "nullable"}
    return {**found, "type": [node["type"], "null"]} if node.get("nullable") else found


# Its command line does more, in minutes: see images.py.
@pytest.mark.parametrize("operation", ["POST /predict", "GET /health", "GET /metrics"])
def test_the_service_does_what_its_description_says(service, operation):
    loaded = schemathesis.openapi.from_url(service.address + "/openapi.json")
    method, path = operation.split()

    @settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=loaded[path][method].as_strategy())
    def check(case):
        case.call_and_validate()

    @settings(max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=loaded[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def refuse(case):
        case.call_and_validate()

    check()
    if method == "POST":  # the others take nothing that could be wrong
        refuse()

import asyncio
import json

from fastapi.exceptions import RequestValidationError

from apps.api.request_errors import RequestError, as_json, invalid_query


def test_a_refusal_says_why():
    response = RequestError(413, "too large").response()
    assert response.status_code == 413
    assert response.media_type == "application/json"
    assert json.loads(response.body) == {"detail": "too large"}
    assert "retry-after" not in response.headers


def test_a_refusal_says_when_to_come_again():
    assert RequestError(429, "too many", retry_after=7).response().headers["retry-after"] == "7"
    assert RequestError(429, "too many", retry_after=0).response().headers["retry-after"] == "0"


def test_a_wrong_query_is_told_in_one_line():
    error = RequestValidationError(
        [{"loc": ("query", "each"), "msg": "no boolean"}, {"loc": ("query", "x"), "msg": "y"}]
    )
    response = asyncio.run(invalid_query(None, error))
    assert response.status_code == 422
    assert json.loads(response.body) == {"detail": "query.each: no boolean; query.x: y"}


def test_an_answer_is_json():
    response = as_json({"digit": None, "p": 0.5})
    assert response.status_code == 200
    assert json.loads(response.body) == {"digit": None, "p": 0.5}

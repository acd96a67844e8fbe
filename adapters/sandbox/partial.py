"""Makes some rows of a batch fail: they are kept from the box, and failed in its answer.

So the box never sees the rows that fail, and what the caller gets has the vendor's own shape:
HubSpot's 207 with `errors`, Salesforce's 200 with `success: false` at the row's own place.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox import json_http
from adapters.sandbox.tables import JsonValue, Row
from adapters.sandbox.vendor_errors import Crm

#: `archive` and `associate/default` are left out: their answers have no place for a failed row
_HUBSPOT_BATCH = re.compile(r"/batch/(create|read|update|upsert)$")
_SALESFORCE_BATCH = re.compile(r"^/services/data/v[\d.]+/composite/sobjects(/[^/]+){0,2}$")
HTTP_OK = 200
HTTP_MULTI_STATUS = 207


@dataclass(frozen=True, slots=True)
class Batch:
    """A request that carries several rows, read far enough to take some of them out."""

    request: HttpRequest
    #: key of the rows in the JSON body; "ids" where Salesforce deletes by query
    key: str
    rows: tuple[JsonValue, ...]
    all_or_none: bool = False


def batch_of(crm: Crm, request: HttpRequest) -> Batch | None:
    """Return the batch in a request, None where it carries none."""
    path = json_http.path_of(request)
    if crm == "hubspot":
        if request.method != "POST" or not _HUBSPOT_BATCH.search(path):
            return None
        return _from_body(request, "inputs")
    if not _SALESFORCE_BATCH.match(path):
        return None
    if request.method == "DELETE":
        query = parse_qs(urlsplit(request.url).query)
        ids = tuple(one for one in query.get("ids", [""])[0].split(",") if one)
        return Batch(request, "ids", ids, query.get("allOrNone", [""])[0].lower() == "true")
    if request.method in {"POST", "PATCH"}:
        return _from_body(request, "records")
    return None


def without(batch: Batch, failed: frozenset[int]) -> HttpRequest:
    """Return the request with only the rows that get through.

    None of them does where all stand or fall together: then no row may be left, see `fails_whole`.
    """
    kept = [row for index, row in enumerate(batch.rows) if index not in failed]
    if batch.key == "ids":
        parts = urlsplit(batch.request.url)
        query = parse_qs(parts.query) | {"ids": [",".join(map(str, kept))]}
        url = urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
        return replace(batch.request, url=url)
    body = json.loads(batch.request.body)
    headers = tuple(
        (name, value) for name, value in batch.request.headers if name.lower() != "content-length"
    )
    return replace(
        batch.request, body=json.dumps({**body, batch.key: kept}).encode(), headers=headers
    )


def fails_whole(batch: Batch, failed: frozenset[int]) -> HttpResponse:
    """Return Salesforce's answer where all rows stand or fall together and some failed."""
    return json_http.answer(
        HTTP_OK,
        [_locked(row) if index in failed else _halted() for index, row in enumerate(batch.rows)],
    )


def with_failures(
    crm: Crm, batch: Batch, failed: frozenset[int], answered: HttpResponse
) -> HttpResponse:
    """Return the box's answer with the failed rows put back; an error stays as it is."""
    if not HTTP_OK <= answered.status < 300 or not answered.body:  # noqa: PLR2004 - success
        return answered
    body: JsonValue = json.loads(answered.body)
    if crm == "hubspot":
        if not isinstance(body, dict):
            return answered
        failures: list[JsonValue] = [_unavailable(batch.rows[index]) for index in sorted(failed)]
        before = body.get("errors")
        errors = [*(before if isinstance(before, list) else []), *failures]
        merged: JsonValue = {**body, "errors": errors, "numErrors": len(errors)}
        return _like(answered, HTTP_MULTI_STATUS, merged)
    if not isinstance(body, list):
        return answered
    got_through = iter(body)
    in_order: list[JsonValue] = [
        _locked(row) if index in failed else next(got_through, _halted())
        for index, row in enumerate(batch.rows)
    ]
    return _like(answered, answered.status, in_order)


def _from_body(request: HttpRequest, key: str) -> Batch | None:
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get(key), list):
        return None
    return Batch(request, key, tuple(body[key]), body.get("allOrNone") is True)


def _like(answered: HttpResponse, status: int, body: JsonValue) -> HttpResponse:
    headers = tuple(
        (name, value) for name, value in answered.headers if name.lower() != "content-length"
    )
    return HttpResponse(status, headers, json.dumps(body, ensure_ascii=False).encode())


def _unavailable(row: JsonValue) -> Row:
    given: Mapping[str, JsonValue] = row if isinstance(row, dict) else {}
    context: Row = {}
    if "objectWriteTraceId" in given:
        context["objectWriteTraceId"] = [str(given["objectWriteTraceId"])]
    if "id" in given:
        context["ids"] = [str(given["id"])]
    return {
        "status": "error",
        "category": "UNAVAILABLE",
        "message": "The service is temporarily unavailable for this record. Try again later.",
        "context": context,
    }


def _locked(row: JsonValue) -> Row:
    given = row if isinstance(row, dict) else {"Id": row}
    record_id = given.get("Id", given.get("id"))
    known: Row = {} if record_id is None else {"id": record_id}
    return {
        **known,
        "success": False,
        "errors": [
            {
                "statusCode": "UNABLE_TO_LOCK_ROW",
                "message": "unable to obtain exclusive access to this record or 1 records"
                + ("" if record_id is None else f": {record_id}"),
                "fields": [],
            }
        ],
    }


def _halted() -> Row:
    return {
        "success": False,
        "errors": [
            {
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": "Record rolled back because not all records were valid and the request"
                " was using AllOrNone header",
                "fields": [],
            }
        ],
    }

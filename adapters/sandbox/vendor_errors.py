"""Whole-request errors in each vendor's own shape, for faults that strike before a box is asked.

A box makes its own errors; these are only the ones that no state of its could cause.
"""

from typing import Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from adapters.http_transport import HttpResponse
from adapters.sandbox import json_http
from adapters.sandbox.faults import Fault
from adapters.sandbox.tables import Row

Crm: TypeAlias = Literal["salesforce", "hubspot"]

_SALESFORCE_BY_STATUS = {
    400: ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    404: ("NOT_FOUND", "The requested resource does not exist"),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "The server is unavailable, please try again later."),
}
_SALESFORCE_OTHER = ("UNKNOWN_EXCEPTION", "An unexpected error occurred.")
_HUBSPOT_BY_STATUS = {
    400: ("VALIDATION_ERROR", "Invalid input JSON"),
    401: ("EXPIRED_AUTHENTICATION", "The access token is expired or invalid"),
    403: ("MISSING_SCOPES", "This app hasn't been granted all required scopes"),
    404: ("OBJECT_NOT_FOUND", "resource not found"),
    409: ("CONFLICT", "The resource is being changed by another request"),
}
_HUBSPOT_OTHER = ("UNAVAILABLE", "The service is temporarily unavailable")


def failing(crm: Crm, fault: Fault, draw: str) -> HttpResponse:
    """Return the answer of an `error` fault."""
    headers = _retry_after(fault)
    if crm == "salesforce":
        code, message = _SALESFORCE_BY_STATUS.get(fault.status, _SALESFORCE_OTHER)
        error: Row = {"message": fault.message or message, "errorCode": fault.code or code}
        return json_http.answer(fault.status, [error], headers)
    code, message = _HUBSPOT_BY_STATUS.get(fault.status, _HUBSPOT_OTHER)
    return json_http.answer(
        fault.status,
        {
            "status": "error",
            "message": fault.message or message,
            "correlationId": _correlation_id(draw),
            "category": fault.code or code,
        },
        headers,
    )


def throttled(crm: Crm, fault: Fault, draw: str) -> HttpResponse:
    """Return the answer of a `throttle` fault: 403 from Salesforce, 429 from HubSpot.

    `code` chooses HubSpot's policy: TEN_SECONDLY_ROLLING (as without it), SECONDLY or DAILY.
    """
    if crm == "salesforce":
        error: Row = {
            "message": fault.message or "TotalRequests Limit exceeded.",
            "errorCode": fault.code or "REQUEST_LIMIT_EXCEEDED",
        }
        return json_http.answer(403, [error], _retry_after(fault))
    policy = fault.code or "TEN_SECONDLY_ROLLING"
    return json_http.answer(
        429,
        {
            "status": "error",
            "message": fault.message or f"You have reached your {policy.lower()} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": _correlation_id(draw),
            "policyName": policy,
        },
        _retry_after(fault),
    )


def _retry_after(fault: Fault) -> tuple[tuple[str, str], ...]:
    return () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)


def _correlation_id(draw: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"sandbox-fault:{draw}"))

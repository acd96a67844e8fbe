"""What `GET /sandbox/` answers: the sandbox's own documentation, as a page to read."""

from html import escape

from adapters.http_transport import HttpResponse
from adapters.sandbox.vendor_errors import Crm

_SIGN_IN = {
    "salesforce": (
        (
            "POST /services/oauth2/token with grant_type=password, client_id=sandbox,"
            " client_secret=sandbox, password=sandbox and username=admin@sandbox.example (a"
            " person), integration@sandbox.example (the engine) or a salesperson; or with a JWT"
            " bearer assertion. Send the access token as Authorization: Bearer …."
        ),
    ),
    "hubspot": (
        "Authorization: Bearer pat-sandbox-person: edits count as made in HubSpot's own screens.",
        "Authorization: Bearer pat-sandbox-dealsync: the engine.",
        "Any other bearer token that begins with pat-: another integration.",
    ),
}
_CALLS = (
    ("GET /sandbox/health", "Says that the sandbox is up, and what still waits to be sent."),
    (
        "GET /sandbox/access-log?after=N",
        (
            'Answers {"calls": [{"number", "at", "who", "method", "path", "status", "records",'
            ' "changed"}]}: the calls numbered above N, oldest first, at most 1,000. Screen actions'
            " have the method ACTION. Status 0 is a call cut off before it was read. Control calls"
            " are not logged. Numbers go on over a restart and over a reset."
        ),
    ),
    ("POST /sandbox/reset", "Back to a new account: users or owners, schemas, stages. No records."),
    (
        "GET /sandbox/faults",
        "The standing faults, with how many requests (or webhook events) each matched and struck.",
    ),
    (
        "POST /sandbox/faults",
        (
            'Takes {"faults": [{"kind", "match": {"method", "path", "who"}, "count", "probability",'
            ' "seconds", "status", "retry_after", "rows", "code", "message"}], "seed": n} in place'
            ' of the faults before; {"faults": []} clears. path is a regular expression searched in'
            " path and query. The same seed and the same requests give the same strikes."
        ),
    ),
    ("GET /sandbox/clock", "How far record times are moved from real time."),
    (
        "POST /sandbox/clock",
        (
            'Takes {"offset_seconds": x} or {"advance_seconds": x}. Moves record times only;'
            " tokens, signatures and the access log keep real time."
        ),
    ),
    (
        "POST /sandbox/actions",
        (
            'Takes {"action": name, "as": user, …}: does what a person does in a screen and no REST'
            " call can. What the CRM would not allow is a 400 that says why."
        ),
    ),
)
_FAULTS = (
    ("delay", "The answer is held back for seconds; the change is made at once."),
    ("error", "Nothing happens; the answer is status (503 if not given) in the vendor's shape."),
    ("throttle", "Nothing happens; the answer says that a rate limit is reached."),
    ("reset_before", "Nothing happens, and the connection is closed without an answer."),
    (
        "timeout_after_commit",
        "The change is made, and the connection is closed (after seconds) without a whole answer.",
    ),
    (
        "partial",
        "rows of a batch fail with an error that may be retried, at least one gets through.",
    ),
)
_WEBHOOK_FAULTS = (
    ("drop_webhook", "A delivery is never made."),
    ("duplicate_webhook", "A delivery is made twice."),
    ("reorder_webhook", "Deliveries change places."),
    ("delay_webhook", "A delivery waits for seconds."),
)
_ACTIONS = {
    "salesforce": (
        ("undelete", "id"),
        ("merge_contacts", "winner, losers"),
        ("merge_accounts", "winner, losers"),
        ("convert_lead", "id, stage, close_date; account, opportunity_name if wanted"),
        ("create_record_type", "name; stages if not all"),
        ("deactivate_record_type", "id"),
        ("delete_record_type", "id; replace_with if records have it"),
        ("create_stage", "stage; record_type if not all; closed, won, probability"),
        ("rename_stage", "stage, label; label_only: the API name stays"),
        ("deactivate_stage", "stage; record_type if not all"),
        ("set_permission", "user, permission, value"),
        ("set_user_active", "user, value"),
        ("add_validation_rule", "object, name, field; operator, value, message, unnamed, only_for"),
        ("remove_validation_rule", "name"),
        ("add_flow", "object, field; operation (set, keep, upper), value, name"),
        ("remove_flow", "name"),
        ("make_amount_rollup", "id: the opportunity's amount cannot be written any more"),
        ("set_daily_limit", "count: API calls a day"),
        ("expire_sessions", "user: the tokens end"),
        ("register_public_key", "pem: JWT assertions must be signed with it from now on"),
        ("enable_multicurrency", "there is no way back"),
    ),
    "hubspot": (
        ("restore", "object, id"),
        ("privacy_delete", "id: deletes a contact for good"),
        ("set_pipeline_limit", "count"),
        ("set_webhook_target", "url; signatures (v1 and v3 if not given), app_id"),
        ("add_owner", "email, firstName, lastName"),
        ("archive_owner", "id or email"),
        ("add_connector_properties", "what the vendor's own connector adds to an account"),
        ("set_scopes", "token, scopes"),
        ("set_account", "timeZone, currency, additionalCurrencies"),
        ("set_rate_limit", "burst, interval_ms, daily, search_per_second"),
        ("set_search_lag", "milliseconds: how late a search sees a change"),
        ("set_close_date_habit", "whose: person, everyone, nobody; has closedate rewritten"),
    ),
}
_NAMES = {"salesforce": "Salesforce", "hubspot": "HubSpot"}


def page(crm: Crm) -> HttpResponse:
    """Return the documentation of one CRM's sandbox."""
    faults = _FAULTS + (_WEBHOOK_FAULTS if crm == "hubspot" else ())
    sign_in = "".join(f"<p>{escape(line)}</p>" for line in _SIGN_IN[crm])
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_NAMES[crm]} sandbox</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;"
        "padding:0 1rem}dt{font-family:ui-monospace,monospace;margin-top:.6rem}</style>"
        f"<h1>{_NAMES[crm]} sandbox</h1>"
        f"<p>Answers {_NAMES[crm]}'s own paths with made-up records, and the control calls below."
        " It listens on this machine only, and nothing in it reaches a real account.</p>"
        f"<h2>Sign in</h2>{sign_in}"
        f"<h2>Control calls</h2>{_definitions(_CALLS)}"
        f"<h2>Faults</h2>{_definitions(faults)}"
        f"<h2>Screen actions</h2>{_definitions(_ACTIONS[crm])}"
        "</html>"
    )
    return HttpResponse(200, (("Content-Type", "text/html; charset=utf-8"),), html.encode())


def _definitions(entries: tuple[tuple[str, str], ...]) -> str:
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries)
    return f"<dl>{listed}</dl>"

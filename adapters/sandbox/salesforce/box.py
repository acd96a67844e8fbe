"""The Salesforce sandbox: one org that answers requests and lets people act.

A pure object: its state is in its tables, its time is an argument. Records carry the time of the
record clock; sessions, assertions and limits go by real time. Everything in one request is
done, or none of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox.box import ActionRefusedError, Answer, Box
from adapters.sandbox.record_clock import record_at
from adapters.sandbox.salesforce import actions, errors, oauth, seed, usage
from adapters.sandbox.salesforce.errors import FORBIDDEN, RefusedError
from adapters.sandbox.salesforce.oauth import SignInRefusedError
from adapters.sandbox.salesforce.org import Call, Org
from adapters.sandbox.salesforce.reply import NO_CONTENT, OK, Ask, Reply, written
from adapters.sandbox.salesforce.routes import route
from adapters.sandbox.tables import JsonValue, Row, Tables

JSON = (("Content-Type", "application/json;charset=UTF-8"),)
#: the versions of the API that are answered, and the season of the first
VERSION_FIRST = 40
VERSION_LAST = 66
YEAR_OF_FIRST = 17
SEASONS = ("Summer", "Winter", "Spring")
RECORD_TYPES = ("New Business", "Renewal")


class SalesforceSandbox(Box):
    """One Salesforce org in a sandbox."""

    def __init__(self, tables: Tables | None = None) -> None:
        self.tables = Tables() if tables is None else tables
        self.org = Org(self.tables)

    @override
    def answer(self, request: HttpRequest, at: datetime) -> Answer:
        store = self.org.store
        store.begin()
        address = urlsplit(request.url)
        base = f"{address.scheme}://{address.netloc}"
        if address.path.startswith("/services/oauth2/"):
            return self._sign_in(request, address.path, base, at)
        if address.path.rstrip("/") == "/services/data":
            return _answer(Reply(_versions()), "")
        user = oauth.user_of(self.org, _token(request))
        if user is None:
            return _answer(_refusal(errors.session_invalid()), "")
        who = _name(user)
        try:
            counted = usage.count(store, at)
        except RefusedError as error:
            return _answer(_refusal(error), who)
        mark = store.mark()
        try:
            reply = self._reply(request, user, at)
        except RefusedError as error:
            store.roll_back(mark)
            reply = _refusal(error)
        used, limit = counted
        return _answer(reply, who, (("Sforce-Limit-Info", f"api-usage={used}/{limit}"),))

    @override
    def who(self, request: HttpRequest, at: datetime) -> str:
        return _name(oauth.user_of(self.org, _token(request)))

    @override
    def act(self, action: str, arguments: Mapping[str, JsonValue], at: datetime) -> Answer:
        self.org.store.begin()
        name = arguments.get("as", seed.ADMIN)
        user = self.org.user_named(str(name))
        if user is None:
            raise ActionRefusedError(f"there is no user '{name}' to act as")
        call = Call(self.org, user, record_at(self.tables, at))
        given = {key: value for key, value in arguments.items() if key not in ("action", "as")}
        body = actions.run(call, action, given)
        return _answer(Reply(body, records=_ids_in(body), changed=True), _name(user))

    @override
    def seed_basics(
        self,
        at: datetime,
        record_types: Sequence[str] = RECORD_TYPES,
        *,
        new_fields_visible: bool = False,
    ) -> None:
        """Put what a new org has.

        Args:
            at: now.
            record_types: names of opportunity record types; none: the master one alone.
            new_fields_visible: new custom fields need no FieldPermissions, unlike in a real org.
        """
        self.org.store.begin()
        seed.seed(
            self.org,
            record_at(self.tables, at),
            record_types,
            new_fields_visible=new_fields_visible,
        )

    def _reply(self, request: HttpRequest, user: Row, at: datetime) -> Reply:
        address = urlsplit(request.url)
        version, path = _below_version(address.path)
        call = Call(self.org, user, record_at(self.tables, at), version, _client(request))
        if "PermissionsApiEnabled" not in call.access.system:
            raise RefusedError(
                "API_DISABLED_FOR_ORG",
                "API is not enabled for this Organization or Partner",
                status=FORBIDDEN,
            )
        handler, opened = route(request.method.upper(), path)
        parameters = dict(parse_qsl(address.query, keep_blank_values=True))
        return handler(Ask(call, request, parameters, opened))

    def _sign_in(self, request: HttpRequest, path: str, base: str, at: datetime) -> Answer:
        match path.removeprefix("/services/oauth2/"):
            case "token" if request.method.upper() == "POST":
                try:
                    user, body = oauth.sign_in(self.org, request.body, base, at)
                except SignInRefusedError as error:
                    refused: JsonValue = {
                        "error": error.error,
                        "error_description": error.description,
                    }
                    return _answer(Reply(refused, status=errors.BAD_REQUEST), "")
                return _answer(Reply(body), _name(user))
            case "revoke" if request.method.upper() == "POST":
                form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
                oauth.sign_out(self.org, form.get("token", ""))
                return _answer(Reply(), "")
            case "userinfo":
                signed_in = oauth.user_of(self.org, _token(request))
                if signed_in is None:
                    return _answer(_refusal(errors.session_invalid()), "")
                organization_id = str(self.org.store.setting("organization_id"))
                info = oauth.user_info(signed_in, organization_id, base)
                return _answer(Reply(info), _name(signed_in))
            case _:
                return _answer(_refusal(errors.no_resource()), "")


def _name(user: Row | None) -> str:
    return "" if user is None else str(user["Username"])


def _ids_in(body: Row) -> tuple[str, ...]:
    """Return the ids of the records that an action changed, as its answer names them."""
    named = [body.get(key) for key in ("id", "account", "contact", "opportunity")]
    merged = body.get("merged")
    named += merged if isinstance(merged, list) else []
    return tuple(str(each) for each in named if isinstance(each, str))


def _token(request: HttpRequest) -> str:
    kind, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() if kind in {"Bearer", "OAuth"} else ""


def _client(request: HttpRequest) -> str:
    for option in (request.header("sforce-call-options") or "").split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "client":
            return value.strip()
    return ""


def _below_version(path: str) -> tuple[str, str]:
    """Return the version in a path and what follows it.

    Raises:
        RefusedError: NOT_FOUND.
    """
    services, _, rest = path.partition("/services/data/v")
    version, _, below = rest.partition("/")
    whole, point, fraction = version.partition(".")
    known = whole.isdigit() and VERSION_FIRST <= int(whole) <= VERSION_LAST
    if services or not known or (point and fraction != "0"):
        raise errors.no_resource()
    return f"{whole}.0", below


def _versions() -> list[JsonValue]:
    versions: list[JsonValue] = []
    for number in range(VERSION_FIRST, VERSION_LAST + 1):
        season = SEASONS[(number - VERSION_FIRST) % len(SEASONS)]
        # Winter and spring carry the number of the year to come.
        year = YEAR_OF_FIRST + (number - VERSION_FIRST + 2) // len(SEASONS)
        label = f"{season} '{year}"
        versions.append(
            {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        )
    return versions


def _refusal(error: RefusedError) -> Reply:
    return Reply([error.alone()], status=error.status)


def _answer(reply: Reply, who: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    if reply.status == NO_CONTENT or (reply.body is None and reply.status == OK):
        response = HttpResponse(reply.status, (*headers, *reply.headers))
    else:
        content = reply.body if isinstance(reply.body, bytes) else written(reply.body)
        response = HttpResponse(reply.status, (*JSON, *headers, *reply.headers), content)
    return Answer(response, who, reply.records, reply.changed)

"""How we sign in, what every call carries, and what refusals mean."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse, HttpTransport, NotSentError
from adapters.salesforce.auth import JwtGrant, PasswordGrant
from adapters.salesforce.connection import Connection, Usage
from adapters.salesforce.errors import Meaning, ReadRefusedError, Refusal
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from tests.salesforce.org import INTEGRATION, START, URL, WORD, Org


class Scripted(HttpTransport):
    """Signs anybody in, and then answers as it is told."""

    def __init__(self, *answers: HttpResponse | Exception) -> None:
        """Script answers, in order; the last is repeated."""
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        self.requests.append(request)
        if "oauth2" in request.url:
            return HttpResponse(
                200,
                (),
                b'{"access_token":"00D!t","instance_url":"https://acme.my.salesforce.com",'
                b'"id":"https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P"}',
            )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _connection(transport: HttpTransport, url: str = "https://login.salesforce.com") -> Connection:
    grant = PasswordGrant(client_id="c", username="u", client_secret=WORD, password=WORD)
    return Connection(transport=transport, url=url, grant=grant)


def _refused(code: str, status: int = 400) -> HttpResponse:
    return HttpResponse(status, (), f'[{{"message":"m","errorCode":"{code}"}}]'.encode())


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _jwt_grant(key_file: Path, audience: str = URL) -> JwtGrant:
    return JwtGrant(
        client_id="consumer", username=INTEGRATION, key_file=key_file, audience=audience
    )


class TestSigningIn:
    """The token endpoint."""

    def test_with_a_signed_assertion(self, key_file: Path) -> None:
        org = Org()
        connection = Connection(transport=org.transport, url=URL, grant=_jwt_grant(key_file))

        session = connection.session(org.at)

        assert session.user_id == org.ours.session(org.at).user_id
        assert session.token not in repr(session)

    def test_the_assertion_lives_three_minutes(self, key_file: Path) -> None:
        form = _jwt_grant(key_file, "https://login.salesforce.com").form(START)
        claims = jwt.decode(form["assertion"], options={"verify_signature": False})

        assert claims["exp"] - START.timestamp() == 180
        assert claims["aud"] == "https://login.salesforce.com"
        assert (claims["iss"], claims["sub"]) == ("consumer", INTEGRATION)

    @pytest.mark.parametrize("content", [None, b"no key"])
    def test_a_missing_or_senseless_key_is_named(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "key.pem"
        if content is not None:
            path.write_bytes(content)

        with pytest.raises(UnauthenticatedError, match=r"key\.pem"):
            _jwt_grant(path).form(START)

    def test_a_refusal_keeps_the_reason_and_no_secret(self) -> None:
        org = Org()
        typed = "pa55"
        grant = PasswordGrant(
            client_id="sandbox", username="nobody@x.example", client_secret=WORD, password=typed
        )
        connection = Connection(transport=org.transport, url=URL, grant=grant)

        with pytest.raises(UnauthenticatedError, match="authentication failure") as raised:
            connection.session(org.at)
        assert raised.value.code == "invalid_grant"
        assert typed not in f"{raised.value} {grant!r}"

    def test_happens_once_for_many_calls(self) -> None:
        org = Org()
        for _ in range(3):
            org.ours.query("SELECT Id FROM Opportunity", org.at)

        assert sum("oauth2" in request.url for request in org.calls) == 1


class TestAddresses:
    """Secrets travel encrypted."""

    @pytest.mark.parametrize(
        "url", ["http://acme.my.salesforce.com", "ftp://127.0.0.1", "acme.my.salesforce.com"]
    )
    def test_plain_http_is_for_loopback_only(self, url: str) -> None:
        with pytest.raises(ValueError, match="https://"):
            _connection(Scripted(HttpResponse(200)), url)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8101", "http://localhost:1", "https://x.y/"])
    def test_these_are_taken(self, url: str) -> None:
        _connection(Scripted(HttpResponse(200)), url)


class TestCalls:
    """What a call carries and what its answer means."""

    def test_every_call_says_who_we_are_and_goes_to_the_instance(self) -> None:
        transport = Scripted(HttpResponse(200, (), b'{"records":[]}'))
        _connection(transport).query("SELECT Id FROM Contact WHERE Name = 'a&b'", START)
        request = transport.requests[-1]

        assert request.header("sforce-call-options") == "client=dealsync"
        assert request.header("authorization") == "Bearer 00D!t"
        assert request.url.startswith("https://acme.my.salesforce.com/services/data/v62.0/query?")
        assert "a%26b" in request.url

    def test_the_daily_use_is_read(self) -> None:
        headers = (("Sforce-Limit-Info", "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"),)
        connection = _connection(Scripted(HttpResponse(200, headers, b"{}")))
        connection.get("/limits", START)

        assert connection.usage == Usage(18, 5_000)

    def test_all_pages_are_read(self) -> None:
        first = (
            b'{"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-2","records":'
            b'[{"Id":"006000000000001"}]}'
        )
        transport = Scripted(
            HttpResponse(200, (), first),
            HttpResponse(200, (), b'{"done":true,"records":[{"Id":"006000000000002"}]}'),
        )
        rows = _connection(transport).query("SELECT Id FROM Opportunity", START)

        assert len(rows) == 2
        assert transport.requests[-1].url.endswith("/services/data/v62.0/query/01g-2")

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (_refused("UNABLE_TO_LOCK_ROW", 500), RetryableError),
            (_refused("QUERY_TIMEOUT"), RetryableError),
            (_refused("INVALID_FIELD"), ReadRefusedError),
            (_refused("NOT_FOUND", 404), ReadRefusedError),
            (_refused("REQUEST_LIMIT_EXCEEDED", 403), ThrottledError),
            (_refused("API_DISABLED_FOR_ORG", 403), UnauthenticatedError),
            (_refused("INVALID_SESSION_ID", 401), UnauthenticatedError),
            (HttpResponse(502, (), b"<html>"), RetryableError),
            (HttpResponse(429, (("Retry-After", "7"),), b""), ThrottledError),
            (HttpResponse(200, (), b"<html>"), RetryableError),
            (NotSentError("refused"), RetryableError),
        ],
    )
    def test_a_reading_that_fails_raises_what_it_means(
        self, answer: HttpResponse | Exception, error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            _connection(Scripted(answer)).get("/x", START)

    def test_a_named_wait_is_kept_to(self) -> None:
        connection = _connection(Scripted(HttpResponse(429, (("Retry-After", "7"),), b"")))

        with pytest.raises(ThrottledError) as raised:
            connection.get("/x", START)
        assert (raised.value.until - START).total_seconds() == 7

    def test_a_session_that_ended_is_renewed_once(self) -> None:
        transport = Scripted(_refused("INVALID_SESSION_ID", 401), HttpResponse(200, (), b"{}"))

        assert _connection(transport).get("/x", START) == {}
        assert sum("oauth2" in request.url for request in transport.requests) == 2

    def test_several_records_of_one_key_are_refused(self) -> None:
        answered = _connection(Scripted(HttpResponse(300, (), b'["/a","/b"]'))).send(
            "PATCH", "/x", {}, START
        )

        assert answered.refusals[0].meaning is Meaning.REFUSED


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("UNABLE_TO_LOCK_ROW", 400, Meaning.RETRY),
        ("UNABLE_TO_LOCK_ROW", 500, Meaning.RETRY),
        ("PROCESSING_HALTED", 200, Meaning.RETRY),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 500, Meaning.UNSURE),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, Meaning.REFUSED),
        ("DUPLICATES_DETECTED", 400, Meaning.REFUSED),
        ("ENTITY_IS_DELETED", 404, Meaning.GONE),
        ("", 503, Meaning.UNSURE),
        ("", 404, Meaning.REFUSED),
        ("", 429, Meaning.THROTTLED),
    ],
)
def test_the_code_says_what_a_refusal_means(code: str, status: int, meaning: Meaning) -> None:
    assert Refusal(code, "m", (), status).meaning is meaning

"""A sandbox process is killed between any two answers: every answered write is there afterwards."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from adapters.clock import SystemClock
from adapters.sandbox.server import open_sandboxes
from adapters.sandbox.store import SandboxInUseError
from adapters.sandbox.tables import JsonValue
from tests.support.sandboxes import SandboxProcess, running_sandboxes

PERSON = {"Authorization": "Bearer pat-sandbox-person"}
API = "/services/data/v64.0"


def signed_in(url: str, user: str = "admin@sandbox.example") -> dict[str, str]:
    answered = httpx2.post(
        f"{url}/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "username": user,
            "password": "sandbox",
        },
    )
    return {"Authorization": f"Bearer {answered.json()['access_token']}"}


def write_until_killed(
    path: str, headers: dict[str, str], body: JsonValue, url: str, enough: threading.Event
) -> list[str]:
    """Create records until the process is gone; returns the ids that were answered."""
    answered: list[str] = []
    with httpx2.Client(base_url=url, headers=headers) as client:
        while True:
            try:
                created = client.post(path, json=body)
            except httpx2.TransportError:
                return answered
            assert created.status_code == 201, created.text
            answered.append(str(created.json()["id"]))
            if len(answered) >= 30:
                enough.set()


def test_every_answered_write_is_there_after_a_kill(tmp_path: Path) -> None:
    first = SandboxProcess(tmp_path)
    salesforce = signed_in(first.salesforce_url)
    account: JsonValue = {"Name": "Kestrel Air Freight"}
    deal: JsonValue = {"properties": {"dealname": "Trade fair", "dealstage": "qualifiedtobuy"}}
    enough = (threading.Event(), threading.Event())
    with ThreadPoolExecutor() as writing:
        accounts = writing.submit(
            write_until_killed,
            *(f"{API}/sobjects/Account", salesforce, account, first.salesforce_url, enough[0]),
        )
        deals = writing.submit(
            write_until_killed,
            *("/crm/v3/objects/deals", PERSON, deal, first.hubspot_url, enough[1]),
        )
        written = [event.wait(timeout=30) for event in enough]
        first.kill()
    assert written == [True, True]

    second = SandboxProcess(tmp_path)
    salesforce = signed_in(second.salesforce_url)
    lost_accounts = [
        one
        for one in accounts.result()
        if httpx2.get(
            f"{second.salesforce_url}{API}/sobjects/Account/{one}", headers=salesforce
        ).status_code
        != 200
    ]
    lost_deals = [
        one
        for one in deals.result()
        if httpx2.get(
            f"{second.hubspot_url}/crm/v3/objects/deals/{one}", headers=PERSON
        ).status_code
        != 200
    ]
    calls = httpx2.get(f"{second.hubspot_url}/sandbox/access-log").json()["calls"]
    logged = {record for call in calls if call["changed"] for record in call["records"]}
    code = second.stop()

    assert (lost_accounts, lost_deals) == ([], [])
    assert set(deals.result()) <= logged
    assert code == 0


def test_a_signed_in_user_stays_signed_in_over_a_restart(tmp_path: Path) -> None:
    with running_sandboxes(tmp_path) as first:
        salesforce = signed_in(first.salesforce_url)
    with running_sandboxes(tmp_path) as second:
        answered = httpx2.get(f"{second.salesforce_url}{API}/limits", headers=salesforce)

    assert answered.status_code == 200


def test_a_second_sandbox_on_one_home_is_refused(tmp_path: Path) -> None:
    with running_sandboxes(tmp_path), pytest.raises(SandboxInUseError):
        open_sandboxes(tmp_path, salesforce_port=0, hubspot_port=0, clock=SystemClock())

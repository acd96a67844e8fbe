"""Posts the webhooks that are due, in a thread of its own: no answer ever waits for a target.

When a delivery is due, repeated or given up is the box's decision; this only carries it out.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, runtime_checkable

from adapters.clock import Clock
from adapters.http_transport import HttpRequest, NetworkTransport, NoAnswerError, NotSentError

#: a target that has not answered by then counts as failed
TIMEOUT_SECONDS = 5.0
#: how late a delivery that falls due by time alone may be noticed
LOOK_SECONDS = 0.1


class Delivery(Protocol):
    """One numbered request to a webhook's target."""

    @property
    def number(self) -> int:
        """Return what `webhook_answered` is told."""
        ...

    @property
    def request(self) -> HttpRequest:
        """Return the request, signed."""
        ...


@runtime_checkable
class WebhookBox(Protocol):
    """A box that has webhooks to deliver."""

    def due_webhooks(self, at: datetime, signed_at: datetime) -> tuple[Delivery, ...]:
        """Return the deliveries to make now."""
        ...

    def webhook_answered(self, number: int, status: int | None, at: datetime) -> None:
        """Take what the target answered; None if it did not."""
        ...


class WebhookSender:
    """Sends one box's webhooks until stopped."""

    def __init__(
        self, box: WebhookBox, lock: threading.Lock, save: Callable[[], None], clock: Clock
    ) -> None:
        """Take what is needed; `lock` guards the box, `save` is called under it."""
        self._box = box
        self._lock = lock
        self._save = save
        self._clock = clock
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something may be due now."""
        self._wake.set()

    def stop(self) -> None:
        """End after the delivery that is under way."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        transport = NetworkTransport()
        try:
            while not self._stopped.is_set():
                if not self._step(transport):
                    self._wake.wait(LOOK_SECONDS)
                    self._wake.clear()
        finally:
            transport.close()

    def _step(self, transport: NetworkTransport) -> bool:
        """Send what is due now; returns whether anything was."""
        now = self._clock.now()
        with self._lock:
            due = self._box.due_webhooks(now, now)
            self._save()
        for delivery in due:
            if self._stopped.is_set():
                break
            try:
                status: int | None = transport.send(
                    delivery.request, timeout_seconds=TIMEOUT_SECONDS
                ).status
            except (NotSentError, NoAnswerError):
                status = None
            with self._lock:
                self._box.webhook_answered(delivery.number, status, self._clock.now())
                self._save()
        return bool(due)

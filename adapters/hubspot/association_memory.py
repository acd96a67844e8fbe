"""Which sets of associations were last made a fact, so that a sweep tells only what changed.

Kept as a short digest a deal, in a fixed number of bookmarks that a sweep writes when it ends. What
is not remembered (a crash before that, a first start) is told again: a harmless repetition. What a
piece tells is only *staged* until its facts are known to be durable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final

from domain import facts
from domain.facts import Fact
from domain.ports import Bookmarks

BUCKETS: Final = 64
_DIGEST_BYTES: Final = 6


class AssociationMemory:
    """Digests by deal id."""

    def __init__(self, bookmarks: Bookmarks) -> None:
        self._bookmarks = bookmarks
        self._digests: dict[int, dict[str, str]] = {}
        self._staged: dict[str, str] = {}
        self._changed: set[int] = set()

    def stage(self, found: Iterable[Fact]) -> tuple[Fact, ...]:
        """Return the sets that differ from the remembered ones; they are about to be told."""
        new: list[Fact] = []
        for fact in found:
            match fact:
                case facts.AssociationsObserved():
                    digest = _digest(fact)
                    known = self._loaded(_bucket(fact.deal_id))
                    if self._staged.get(fact.deal_id, known.get(fact.deal_id)) != digest:
                        self._staged[fact.deal_id] = digest
                        new.append(fact)
                case _:
                    continue
        return tuple(new)

    def keep(self) -> None:
        """Know that what was staged is durable."""
        for deal_id, digest in self._staged.items():
            bucket = _bucket(deal_id)
            self._loaded(bucket)[deal_id] = digest
            self._changed.add(bucket)
        self._staged.clear()

    def forget(self) -> None:
        """Know that what was staged was lost."""
        self._staged.clear()

    def texts(self) -> Mapping[str, str]:
        """Return the bookmarks that differ from what was written; what is only staged is not in."""
        texts = {_name(bucket): json.dumps(self._digests[bucket]) for bucket in self._changed}
        self._changed.clear()
        return texts

    def _loaded(self, bucket: int) -> dict[str, str]:
        if bucket not in self._digests:
            text = self._bookmarks.read(_name(bucket))
            found = {} if text is None else json.loads(text)
            self._digests[bucket] = {str(key): str(value) for key, value in found.items()}
        return self._digests[bucket]


def _name(bucket: int) -> str:
    return f"hubspot.associations.{bucket}"


def _bucket(deal_id: str) -> int:
    return int(hashlib.blake2b(deal_id.encode(), digest_size=2).hexdigest(), 16) % BUCKETS


def _digest(fact: facts.AssociationsObserved) -> str:
    shown = fact.model_dump_json(include={"contacts", "company_id"})
    return hashlib.blake2b(shown.encode(), digest_size=_DIGEST_BYTES).hexdigest()

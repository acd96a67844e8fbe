"""The AsyncAPI document of the topics: what stands where, for programs of other teams.

It follows the classes, as the schemas do, and `python -m tests.wire.schemas` writes it.
"""

import importlib.metadata
import inspect
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel

from adapters.engine.ingest import topic_of
from domain.events import EVENTS
from domain.facts import FACTS
from domain.ids import Crm
from domain.ports import Topic
from projections.publishing import EVENTS_TOPIC, NOTES

PATH: Final = Path(__file__).parents[2] / "infra" / "asyncapi.yaml"

_CRM_FACTS: Final = "crm."
#: which kinds of facts stand in a topic, by the first word of their type
_KINDS: Final[Mapping[Topic, tuple[str, ...]]] = {
    topic_of(Crm.SALESFORCE): ("salesforce.", _CRM_FACTS),
    topic_of(Crm.HUBSPOT): ("hubspot.", _CRM_FACTS),
    Topic.OUTCOMES: ("outcome.",),
    Topic.REQUESTS: ("request.",),
    Topic.SIGNALS: ("signal.",),
}
_TITLES: Final[Mapping[str, str]] = {
    Topic.SALESFORCE_CHANGES: "Records as Salesforce showed them; deletions and merges",
    Topic.HUBSPOT_CHANGES: "Records as HubSpot showed them; deletions and merges",
    Topic.OUTCOMES: "What became of each write of ours",
    Topic.REQUESTS: "What operators asked for, policies among it",
    Topic.SIGNALS: "What one aggregate has to tell another",
    EVENTS_TOPIC: "Everything that was decided, exactly as it is stored, in order per partition",
}
_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_NUMBER: Final = {"type": "string", "pattern": "^[0-9]+$"}
_CLOUD_EVENT: Final[Mapping[str, dict[str, Any]]] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**_TEXT, "description": "the same wherever and however often it is sent"},
    "ce_source": {**_TEXT, "pattern": "^/dealsync/"},
    "ce_type": {**_TEXT, "description": "the name of the message"},
}
_FACT: Final[Mapping[str, dict[str, Any]]] = {
    **_CLOUD_EVENT,
    "ce_time": {**_INSTANT, "description": "when it happened, by the clock of where it happened"},
    "ce_subject": {**_TEXT, "description": "what it is about; also the key"},
    "ce_dataschema": {**_TEXT, "pattern": "^urn:dealsync:schemas:facts:"},
    "ce_partitionkey": {**_TEXT, "description": "the key"},
    "ce_recordedtime": {**_INSTANT, "description": "our clock when it was appended"},
}
_EVENT: Final[Mapping[str, dict[str, Any]]] = {
    **_CLOUD_EVENT,
    "ce_time": {**_INSTANT, "description": "when the fact happened that was decided"},
    "ce_subject": {**_TEXT, "format": "uuid", "description": "the stream; also the key"},
    "ce_dataschema": {**_TEXT, "pattern": "^urn:dealsync:schemas:events:"},
    "ce_partitionkey": {**_TEXT, "format": "uuid", "description": "the key"},
    "ce_recordedtime": {**_INSTANT, "description": "our clock when it was decided"},
    "ce_causationid": {**_TEXT, "description": "id of the fact that was decided"},
    "ce_sequence": {
        **_TEXT,
        "pattern": "^[0-9]{19}$",
        "description": "the event id: rises over all streams, with holes; texts sort as numbers",
    },
    "ce_epoch": {**_NUMBER, "description": "how often the store had been recovered"},
    "ce_streamversion": {
        **_NUMBER,
        "description": "the place in the stream: 1, 2, 3, … without holes",
    },
    "ce_factsource": {**_TEXT, "description": "topic:partition of the fact that was decided"},
    "ce_factoffset": {**_NUMBER, "description": "offset of that fact"},
    "ce_previous": {
        **_NUMBER,
        "description": (
            "the event id before it in this partition, 0 for the first: who has not taken that one"
            " passes over this one, which will come again"
        ),
    },
    "ce_acknowledged": {
        **_NUMBER,
        "description": "everything up to this event id stood in the topic when it was sent",
    },
}
_NOTE: Final[Mapping[str, dict[str, Any]]] = {**_CLOUD_EVENT, "ce_epoch": _EVENT["ce_epoch"]}


def text(examples: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what should stand in the file.

    Args:
        examples: a body for each fact and event, by its type.
    """
    # As JSON and back, so that what stands in several places is written out in each.
    document = json.loads(json.dumps(_document(examples)))
    dumped: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return "# Written by `python -m tests.wire.schemas`; see docs/events.md.\n" + dumped


def _document(examples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    facts = {kind.TOPIC: _message(kind, "facts", "FactHeaders", examples) for kind in FACTS}
    events = {kind.TOPIC: _message(kind, "events", "EventHeaders", examples) for kind in EVENTS}
    notes = {kind.TOPIC: _message(kind, "publication", "NoteHeaders", examples) for kind in NOTES}
    channels = {
        str(topic): _channel(topic, (name for name in facts if name.startswith(kinds)))
        for topic, kinds in _KINDS.items()
    }
    channels[EVENTS_TOPIC] = _channel(EVENTS_TOPIC, (*events, *notes))
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "dealsync",
            "version": importlib.metadata.version("dealsync"),
            "description": (
                "Facts about Salesforce and HubSpot records, and what dealsync decided from them."
                " CloudEvents 1.0 in Kafka's binary mode: the value is the data, all else is in"
                " headers. A topic's name may have a prefix, by the settings of its environment."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{host}:{port}",
                "protocol": "kafka",
                "description": "any broker of the cluster",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "9092"}},
            }
        },
        "channels": channels,
        "operations": {
            f"append-to-{topic}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": _TITLES[topic],
            }
            for topic in channels
        },
        "components": {
            "schemas": {
                "FactHeaders": _headers(_FACT, {"ce_causationid": _TEXT}),
                "EventHeaders": _headers(_EVENT, {}),
                "NoteHeaders": _headers(_NOTE, {}),
            },
            "messages": facts | events | notes,
        },
    }


def _channel(topic: str, names: Iterable[str]) -> dict[str, Any]:
    return {
        "address": topic,
        "title": _TITLES[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"topicConfiguration": {"retention.ms": -1}}},
    }


def _message(
    kind: type[BaseModel], folder: str, headers: str, examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    name = str(vars(kind)["TOPIC"])
    summary, _, more = (inspect.getdoc(kind) or "").partition("\n\n")
    said: dict[str, Any] = {"name": name, "title": kind.__name__, "summary": summary}
    if more:
        said["description"] = more
    said |= {
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "payload": {"$ref": f"./schemas/{folder}/{name}.json"},
        "bindings": {"kafka": {"key": _TEXT}},
    }
    if name in examples:
        said["examples"] = [{"name": "filled", "payload": examples[name]}]
    return said


def _headers(
    always: Mapping[str, dict[str, Any]], sometimes: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(always),
        "properties": {**always, **sometimes},
        "additionalProperties": False,
    }

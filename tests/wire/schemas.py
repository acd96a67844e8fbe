"""Write the schemas of facts, events and notes, their AsyncAPI document, and golden lines.

Usage: python -m tests.wire.schemas

Schemas and document follow the classes and are written anew. A golden line is what some program
once stored: it is only ever added, and changing one means that old logs cannot be read any more.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from adapters import codec
from domain.events import EVENTS
from domain.facts import FACTS
from projections.publishing import NOTES
from tests.support.filled import filled
from tests.wire import asyncapi_document

SCHEMAS = Path(__file__).parents[2] / "infra" / "schemas"
GOLDEN = {what: Path(__file__).with_name(f"{what}.jsonl") for what in ("facts", "events")}
TOPICS: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "facts": {kind.TOPIC: kind for kind in FACTS},
    "events": {kind.TOPIC: kind for kind in EVENTS},
}


def schema_texts() -> dict[Path, str]:
    """Return what should stand in each schema file."""
    notes = {
        f"publication/{kind.TOPIC}": TypeAdapter(kind).json_schema(mode="serialization")
        for kind in NOTES
    }
    return {
        SCHEMAS / f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in {**codec.schemas(), **notes}.items()
    }


def document_text() -> str:
    """Return what should stand in the AsyncAPI document."""
    lines = [line for what in GOLDEN for line in golden_lines(what)]
    return asyncapi_document.text({line["topic"]: line["body"] for line in lines})


def golden_lines(what: str) -> list[Mapping[str, Any]]:
    """Read the golden lines: `{"topic": …, "body": …}`."""
    path = GOLDEN[what]
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Write what is missing or out of date."""
    wanted = schema_texts()
    for path in SCHEMAS.glob("*/*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for what, kinds in TOPICS.items():
        there = {line["topic"] for line in golden_lines(what)}
        with GOLDEN[what].open("a", encoding="utf-8") as golden:
            for topic in sorted(kinds.keys() - there):
                body = json.loads(filled(kinds[topic]).model_dump_json())
                line = {"topic": topic, "body": body}
                golden.write(json.dumps(line, ensure_ascii=False) + "\n")
    asyncapi_document.PATH.write_text(document_text(), encoding="utf-8")


if __name__ == "__main__":
    main()

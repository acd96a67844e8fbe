"""The command line.

| file | commands |
|---|---|
| `process` | `up`, `sandbox`, `run`, `reset`, `version` |
| `demo` | `demo`; its story, people and terminal are in `demo_*` |
| `waiting`, `doctor` | `wait`, `status`; `doctor` |
| `asking`, `policy`, `importing` | `setup`; `policy …`; `import …`, `sync` |
| `pairs`, `why`, `audit` | what became of a record, and why |
| `writes`, `issues`, `parked`, `projections` | what a person can do about what waits |
| `log`, `database` | `log tail`, `log export`; `database url` |
| `app` | puts them together; exit codes and error messages |
| `naming`, `wording`, `requesting` | ids, events in words, requests and their answers |
| `output`, `failures`, `session` | what every command prints, meets and opens |
| `starting`, `alone`, `run_file`, `stopping` | answers, with an engine or without; signals |
"""

from adapters.cli.app import main

__all__ = ["main"]

"""The command line.

| file | commands |
|---|---|
| `process` | `up`, `sandbox`, `run`, `reset`, `version` |
| `asking` | `setup` |
| `policy` | `policy adopt` |
| `waiting` | `wait`, `status` |
| `log`, `database` | `log tail`, `log export`; `database url` |
| `app` | puts them together; exit codes and error messages |
| `output`, `failures`, `session` | what every command prints, meets and opens |
"""

from adapters.cli.app import main

__all__ = ["main"]

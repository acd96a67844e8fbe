"""What holds for every test: none of them may reach what the caller's environment names."""

import os

for _name in list(os.environ):
    if _name.startswith("DEALSYNC_") or _name in {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"}:
        del os.environ[_name]

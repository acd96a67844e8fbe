"""The four loops: ingest, decide, project, deliver."""

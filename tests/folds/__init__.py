"""Projections are folds of events: what each event does to their rows."""

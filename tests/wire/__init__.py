"""Captured and golden texts: what was once on a wire or in a store can still be read."""

"""The vendors' own Python clients against the sandboxes."""

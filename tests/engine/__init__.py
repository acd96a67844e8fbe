"""The loops, over ports in memory and rules that a test can see through."""

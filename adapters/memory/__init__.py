"""The ports in memory, under the same file names as in `postgres`: for tests and the simulation.

They keep the same promises, ids that a failed commit burns included; one contract suite holds both.
"""

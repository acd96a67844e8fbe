"""Policies as files: which one to adopt, and whether it differs from the one in force."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.cli.output import CommandFailure, ExitCode
from domain import policy_text
from domain.policy import Policy
from domain.policy_text import PolicyError

FILE_NAME: Final = "dealsync.toml"
FILE_BYTES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy and the text it stands in."""

    policy: Policy
    text: str
    #: for messages
    where: str


def built_in() -> PolicyFile:
    """Return the sample policy, both switches on."""
    return PolicyFile(Policy(), policy_text.sample(), "the built-in sample")


def in_folder(folder: Path) -> PolicyFile | None:
    """Return the policy of a folder's `dealsync.toml`, or None if there is no such file.

    Raises:
        CommandFailure: it is malformed.
    """
    path = folder / FILE_NAME
    return from_file(path) if path.is_file() else None


def from_file(path: Path, *, shared_fields: bool = False) -> PolicyFile:
    """Read a policy.

    Args:
        path: the file.
        shared_fields: let a field be in more than one mapping, to try out what comes of it.

    Raises:
        CommandFailure: it cannot be read, or is malformed.
    """
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX).decode()
    except (OSError, ValueError) as error:
        raise CommandFailure(
            "no_policy",
            f"{path}: expected a policy file, found none that can be read ({error})",
            hint="`dealsync policy show --default` prints one to start from",
            exit_code=ExitCode.WRONG_INPUT,
        ) from error
    try:
        policy = policy_text.parse(text, shared_fields=shared_fields)
        return PolicyFile(policy, text, str(path))
    except PolicyError as error:
        raise CommandFailure(
            "malformed_policy",
            "\n".join(f"{path}: {problem}" for problem in error.problems),
            hint="docs/policy.md explains each key; `dealsync policy show --default` is a sample",
            exit_code=ExitCode.WRONG_INPUT,
        ) from error

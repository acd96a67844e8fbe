"""An Apache Kafka on this machine without Docker: `make kafka-up` and `make kafka-down`.

The jars come from Maven Central (`infra/kafka/pom.xml`), the nodes are KRaft: each is broker and
controller at once. Everything a cluster writes is below one folder; it listens on loopback only.
Nodes outlive the process that started them: `cluster.json` in the folder says who they are, and any
process may stop, kill or start one again by it.

    cluster = KafkaCluster(Path("build/kafka"))
    cluster.start(nodes=3)
    cluster.kill(2); cluster.start_node(2)
    cluster.stop()

Usage: python -m tests.support.kafka_broker up [--nodes N] [--port P] | down | url | check
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import BrokerResponseError, KafkaConnectionError, KafkaTimeoutError

ROOT: Final = Path(__file__).parents[2]
CONFIGURATION: Final = ROOT / "infra" / "kafka"
#: kept between runs: they are fetched once for each list of what is wanted
JARS: Final = (
    ROOT
    / "build"
    / f"kafka-jars-{hashlib.sha256((CONFIGURATION / 'pom.xml').read_bytes()).hexdigest()[:8]}"
)
#: of `make kafka-up`
FOLDER: Final = ROOT / "build" / "kafka"
PORT: Final = 9092
HOST: Final = "127.0.0.1"
JAVA_MAJOR_MIN: Final = 17
FETCH_SECONDS_MAX: Final = 300.0
READY_SECONDS_MAX: Final = 90.0
STOP_SECONDS_MAX: Final = 30.0
#: with default settings it is 1 GB a node
HEAP: Final = ("-Xms256m", "-Xmx512m")
STORAGE_TOOL: Final = "kafka.tools.StorageTool"
CONSOLE_CONSUMER: Final = "org.apache.kafka.tools.consumer.ConsoleConsumer"


class KafkaBrokerError(Exception):
    """There can be no broker here, or it does not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node as `cluster.json` knows it."""

    id: int
    port: int
    controller_port: int
    #: 0: it does not run
    pid: int = 0


def why_not_here() -> str | None:
    """Say why no broker can be started here, or None if one can."""
    if shutil.which("java") is None:
        return f"no Java: install a JDK of at least {JAVA_MAJOR_MIN}"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)  # noqa: S607
    major = _major(said.stderr)
    if major < JAVA_MAJOR_MIN:
        return f"Java {major} is too old: install a JDK of at least {JAVA_MAJOR_MIN}"
    if not _has_jars() and shutil.which("mvn") is None:
        return "no Maven to fetch Apache Kafka with: install Maven"
    return None


class KafkaCluster:
    """Some nodes on this machine, over one folder.

    Args:
        folder: holds their data and logs, and what is known of them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._file = self.folder / "cluster.json"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, by id; empty: none were ever started here."""
        try:
            return tuple(Node(**one) for one in json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return ()

    @property
    def bootstrap_servers(self) -> str:
        """Where clients begin, as `KAFKA_BOOTSTRAP_SERVERS` takes it."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)

    def is_running(self, node_id: int) -> bool:
        """Tell whether a node's process is there."""
        return self._is_ours(self._node(node_id).pid)

    def start(self, *, nodes: int = 1, first_port: int | None = None) -> str:
        """Start every node that does not run, and wait until all answer.

        Args:
            nodes: how many a new cluster gets; one that is there keeps its own.
            first_port: the first node's port, in a new cluster; None takes free ones.

        Returns:
            The bootstrap servers.

        Raises:
            KafkaBrokerError: it cannot be started here, or does not come up.
        """
        fetch_jars()
        if not self.nodes:
            self._found(nodes, first_port)
        for node in self.nodes:
            self._spawn(node.id)
        self.wait_ready()
        return self.bootstrap_servers

    def start_node(self, node_id: int) -> None:
        """Start one node; does not wait until it answers."""
        self._spawn(node_id)

    def stop(self) -> None:
        """Stop every node, cleanly; harmless if none run."""
        running = [node for node in self.nodes if self._is_ours(node.pid)]
        for node in running:
            os.kill(node.pid, signal.SIGTERM)
        for node in running:
            self._wait_ended(node)

    def stop_node(self, node_id: int) -> None:
        """Stop one node, cleanly."""
        node = self._node(node_id)
        if self._is_ours(node.pid):
            os.kill(node.pid, signal.SIGTERM)
            self._wait_ended(node)

    def kill(self, node_id: int) -> None:
        """End one node with SIGKILL: it can do nothing more."""
        self.send_signal(node_id, signal.SIGKILL)
        self._wait_ended(self._node(node_id))

    def send_signal(self, node_id: int, number: signal.Signals) -> None:
        """Send one node's process a signal, such as SIGSTOP and SIGCONT."""
        node = self._node(node_id)
        if self._is_ours(node.pid):
            os.kill(node.pid, number)

    def wait_ready(self, *, seconds: float = READY_SECONDS_MAX) -> None:
        """Wait until every node that runs is part of the cluster.

        Raises:
            KafkaBrokerError: they are not, in time, or one has ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            running = {node.id for node in self.nodes if self._is_ours(node.pid)}
            ended = {node.id for node in self.nodes if node.pid} - running
            if ended:
                raise KafkaBrokerError(f"node {min(ended)} ended: {self._last_words(min(ended))}")
            answering = self._answering()
            if running and running <= answering:
                return
            if time.monotonic() > deadline:
                raise KafkaBrokerError(
                    f"expected nodes {sorted(running)} within {seconds:.0f} s,"
                    f" found {sorted(answering)}; see {self.folder}/*.log"
                )
            time.sleep(0.1)

    def delete(self) -> None:
        """Stop it and delete everything it wrote."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- how

    def _node(self, node_id: int) -> Node:
        return next(node for node in self.nodes if node.id == node_id)

    def _write(self, nodes: Sequence[Node]) -> None:
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps([asdict(node) for node in nodes]), encoding="utf-8")
        unfinished.replace(self._file)

    def _found(self, count: int, first_port: int | None) -> None:
        """Choose ports, write the configuration and format the storage of a new cluster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = _free_ports(2 * count)
        nodes = [Node(n + 1, ports[2 * n], ports[2 * n + 1]) for n in range(count)]
        if first_port is not None:
            nodes[0] = Node(1, first_port, nodes[0].controller_port)
        cluster_id = run_tool(STORAGE_TOOL, "random-uuid").strip()
        common = (CONFIGURATION / "server.properties").read_text(encoding="utf-8")
        for node in nodes:
            added = "".join(f"{name}={value}\n" for name, value in self._own(node, nodes).items())
            properties = self._properties(node.id)
            properties.write_text(f"{common}{added}", encoding="utf-8")
            run_tool(STORAGE_TOOL, "format", "-t", cluster_id, "-c", str(properties))
        self._write(nodes)

    def _own(self, node: Node, nodes: Sequence[Node]) -> Mapping[str, object]:
        """Return the settings that depend on which node it is, and of how many."""
        replicas = min(3, len(nodes))
        voters = ",".join(f"{other.id}@{HOST}:{other.controller_port}" for other in nodes)
        return {
            "node.id": node.id,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
            "log.dirs": self.folder / f"node-{node.id}",
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": max(1, replicas - 1),
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
        }

    def _properties(self, node_id: int) -> Path:
        return self.folder / f"node-{node_id}.properties"

    def _spawn(self, node_id: int) -> None:
        node = self._node(node_id)
        if self._is_ours(node.pid):
            return
        with (self.folder / f"node-{node_id}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                java_command("kafka.Kafka", str(self._properties(node_id))),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # an interrupt at the keyboard is not meant for it
            )
        _CHILDREN[process.pid] = process
        self._write(
            [
                Node(one.id, one.port, one.controller_port, process.pid)
                if one.id == node_id
                else one
                for one in self.nodes
            ]
        )

    def _is_ours(self, pid: int) -> bool:
        """Tell whether a process is there and is a node of this folder: ids are used again."""
        child = _CHILDREN.get(pid)
        if child is not None and child.poll() is not None:
            return False
        return pid > 0 and str(self.folder) in _command_line(pid)

    def _wait_ended(self, node: Node) -> None:
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while self._is_ours(node.pid):
            if time.monotonic() > deadline:
                os.kill(node.pid, signal.SIGKILL)
                deadline += STOP_SECONDS_MAX
            time.sleep(0.05)
        self._write(
            [
                Node(one.id, one.port, one.controller_port) if one.id == node.id else one
                for one in self.nodes
            ]
        )

    def _answering(self) -> set[int]:
        """Return the nodes that take connections and that the cluster counts as its own."""
        listening = {node.id for node in self.nodes if _is_listening(node.port)}
        if not listening:
            return set()
        try:
            admin = KafkaAdminClient(
                bootstrap_servers=self.bootstrap_servers.split(","),
                bootstrap_timeout_ms=1_000,
                request_timeout_ms=2_000,
            )
        except _NOT_YET:
            return set()
        try:
            brokers = admin.describe_cluster()["brokers"]
            return listening & {int(broker["broker_id"]) for broker in brokers}
        except _NOT_YET:
            return set()
        finally:
            admin.close()

    def _last_words(self, node_id: int) -> str:
        lines = (self.folder / f"node-{node_id}.log").read_text(encoding="utf-8").splitlines()
        return " | ".join(lines[-3:])


def fetch_jars() -> None:
    """Fetch the jars, if they are not there.

    Raises:
        KafkaBrokerError: they cannot be fetched or run here.
    """
    reason = why_not_here()
    if reason is not None:
        raise KafkaBrokerError(reason)
    if _has_jars():
        return
    fetching = JARS.with_name(f"{JARS.name}.{os.getpid()}")
    command = [
        *("mvn", "--quiet", "--batch-mode", "--file", str(CONFIGURATION / "pom.xml")),
        *("dependency:copy-dependencies", "-DincludeScope=runtime"),
        f"-DoutputDirectory={fetching}",
    ]
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False
    )
    if done.returncode:
        shutil.rmtree(fetching, ignore_errors=True)
        words = (done.stdout + done.stderr).strip().splitlines()
        raise KafkaBrokerError(f"Maven cannot fetch Apache Kafka: {' | '.join(words[:3])}")
    shutil.rmtree(JARS, ignore_errors=True)
    fetching.replace(JARS)


def run_tool(main_class: str, *arguments: str, timeout: float = 60.0) -> str:
    """Run one of Kafka's own command-line tools; return what it printed.

    Raises:
        KafkaBrokerError: it failed; the message has what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        java_command(main_class, *arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise KafkaBrokerError(f"{main_class}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def java_command(main_class: str, *arguments: str) -> list[str]:
    """Return the command line of one of Kafka's programs."""
    logging = CONFIGURATION / "log4j2.properties"
    return [
        *("java", *HEAP, f"-Dlog4j2.configurationFile={logging.as_uri()}"),
        *("-cp", f"{JARS}/*", main_class, *arguments),
    ]


#: what a client meets while nodes are on their way
_NOT_YET: Final = (BrokerResponseError, KafkaConnectionError, KafkaTimeoutError)

#: of this process: a child that ended stays in the process table until it is asked
_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}


def _has_jars() -> bool:
    return any(JARS.glob("kafka_*.jar"))


def _major(said: str) -> int:
    """Return the major version that `java -version` tells; 0: none was found."""
    quoted = said.partition('"')[2].partition('"')[0]
    first = quoted.partition(".")[0]
    return int(first) if first.isdigit() else 0


def _command_line(pid: int) -> str:
    said = subprocess.run(  # noqa: S603 - numbers only
        ["ps", "-ww", "-o", "args=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now and differ."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def main(arguments: Sequence[str]) -> int:
    """Start or stop the cluster of `make kafka-up`."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.kafka_broker")
    parser.add_argument("what", choices=["up", "down", "url", "check"])
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    cluster = KafkaCluster(given.folder)
    begun = time.monotonic()
    try:
        match given.what:
            case "up":
                servers = cluster.start(nodes=given.nodes, first_port=given.port)
                said = f"export KAFKA_BOOTSTRAP_SERVERS={servers}"
                print(f"{said}  # {len(cluster.nodes)} nodes, {time.monotonic() - begun:.1f} s")  # noqa: T201
            case "down":
                cluster.stop()
                seconds = time.monotonic() - begun
                print(f"stopped, {seconds:.1f} s; its data stays in {cluster.folder}")  # noqa: T201
            case "check":
                reason = why_not_here()
                print(reason or "there can be a Kafka here")  # noqa: T201
                return 0 if reason is None else 1
            case _:
                print(cluster.bootstrap_servers)  # noqa: T201
    except KafkaBrokerError as error:
        print(f"no Kafka: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

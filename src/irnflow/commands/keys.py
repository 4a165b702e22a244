"""`irnflow keys`: the keys that seal secrets at rest. docs/runbook.md tells when and how."""

import asyncio
import base64

import click

from irnflow.commands.environment import settings


@click.group()
def keys() -> None:
    """Keys that seal passwords and sessions in the database."""


@keys.command()
def new() -> None:
    """Print a new key, for IRNFLOW_KEY in a store of secrets. `rotate` makes its own."""
    from irnflow.store.secrets import new_key

    click.echo(base64.b64encode(new_key()))


@keys.command()
def rotate() -> int:
    """Seal every secret anew with a new key; 1 when some opens with no key.

    \b
    Key in a file (IRNFLOW_KEY_FILE): makes the new key, seals everything with it, and takes the old one out.
    Key in IRNFLOW_KEY: put the new key before the old one there and restart the services; then this seals
    everything anew, and the old one may go.

    Services go on meanwhile. Killed in the middle, nothing is lost: run it again.
    """
    found = settings("database_url")
    return asyncio.run(_rotate(found.database_url, found.key))


async def _rotate(url: str, key: str) -> int:
    from irnflow.store import database, rotation
    from irnflow.store.secrets import key_ring

    file = settings().key_file
    async with rotation.alone(url), database.connect(url, connections=1) as store:
        if key:
            done = await rotation.reseal(store, key_ring(key, file))
        else:
            done = await rotation.rotate(store, file, settle=rotation.settled)
    click.echo(f"Sealed anew with the current key: {done.resealed} (credentials and sessions).")
    if done.lost:
        click.echo(
            f"No key opens the credentials of {', '.join(done.lost)}: set them again with "
            "`irnflow gstin credentials`, then rotate once more. The earlier keys stay until then."
        )
        return 1
    where = "from IRNFLOW_KEY all but the first key may go" if key else f"{file} holds the new key alone"
    click.echo(f"Everything opens with it; {where}.")
    return 0

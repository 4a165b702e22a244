"""Send the golden invoices to a sandbox portal, each for its own supplier or operator.

    irnflow serve sandbox                             # tells its address and folder
    python examples/send.py ADDRESS FOLDER [FILE...]  # FILE: other INV-01 documents; default: all beside this

Prints what became of each: its IRN, or what the portal says. A second run finds duplicates (2150).
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from irnflow.portal.client import Answer, Credentials, Portal, http, read_document

HERE = Path(__file__).parent
GOLDEN = sorted(set(HERE.glob("*.json")) - {HERE / "taxpayers.json"})


async def send(address: str, folder: Path, files: Iterable[Path] = GOLDEN) -> AsyncIterator[tuple[str, str]]:
    """File name, and its IRN or the portal's words, one by one."""
    secrets = msgspec.json.decode((folder / "sandbox.json").read_bytes())
    key = load_pem_public_key((folder / "auth_public.pem").read_bytes())
    assert isinstance(key, RSAPublicKey)
    async with http(address, deadline_s=30, connections=1) as transport:
        portal = Portal(transport, key)
        for file in files:
            payload = file.read_bytes()
            credentials = Credentials(
                gstin=_sender(payload),
                **{name: secrets[name] for name in ("client_id", "client_secret", "username", "password")},
            )
            session = await portal.login(credentials, app_key=os.urandom(32))
            answer = session if isinstance(session, Answer) else await portal.generate(credentials, session, payload)
            yield file.stem, _told(answer)


def _sender(payload: bytes) -> str:
    document = msgspec.json.decode(payload)
    return str(document["TranDtls"].get("EcmGstin") or document["SellerDtls"]["Gstin"])


def _told(answer: Answer) -> str:
    if answer.ok:
        return read_document(answer.data).irn
    return "; ".join(f"{said.code} {said.text}" for said in answer.errors)


async def main(address: str, folder: str, *files: str) -> None:
    async for name, told in send(address, Path(folder), map(Path, files) if files else GOLDEN):
        print(f"{name:45} {told}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))

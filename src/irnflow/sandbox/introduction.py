"""What `irnflow serve sandbox` prints: all that a client needs to be pointed at it."""

from pathlib import Path

from irnflow.sandbox.identity import Identity

_PAGE = """\
The sandbox portal serves until Ctrl-C. Any client of the portal can use it:

  address        {address}   (NIC1; NIC2 is {address}/NIC2)
  client id      {client_id}
  client secret  {client_secret}
  user name      {username}
  password       {password}
  GSTIN          {gstin}

  public key     {public_key}
                 for logins
  certificate    {certificate}
                 verifies signed invoices and QR codes; its name is their kid

  switches       {address}/sandbox/switches
                 for tests, on this machine, with "Authorization: Bearer {token}"

docs/sandbox.md tells how to point a client at it.
"""


def introduction(identity: Identity, *, address: str, folder: Path) -> str:
    """For a person, with secrets: not for a log."""
    known = identity.credentials
    served = "any with a right check digit, say 27AAPFU0939F1ZV" if known.gstins is None else ", ".join(known.gstins)
    return _PAGE.format(
        address=address,
        client_id=known.client_id,
        client_secret=known.client_secret,
        username=known.username,
        password=known.password,
        gstin=served,
        public_key=identity.auth_public_file.resolve(),
        certificate=(folder / "signing_keys" / f"{identity.signer.kid}.pem").resolve(),
        token=known.switches_token,
    )

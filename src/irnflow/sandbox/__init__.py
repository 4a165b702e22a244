"""A portal of our own to develop against: the protocol of the Invoice Registration Portal from the other side.

Another server, written from what the portals publish; it imports nothing of `gst` or `portal`, or one mistake would
pass both. `portal.Sandbox` is the whole of it without HTTP; `app` serves it; `docs/sandbox.md` tells how to point a
client at it.

codes      error codes and texts       law        the business rules          portal     what each call answers
protocol   envelopes and ciphers       transport  may goods travel so?        register   what is registered
signing    signed invoice and QR       taxpayers  whose GSTIN is known        sessions   who is logged in
identity   keys and credentials        limits     times and counts            blocking   who is shut out
shape      is it INV-01?               switches   what tests make it do       app, desk  HTTP
introduction  what a client is told
"""

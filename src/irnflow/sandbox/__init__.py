"""A portal of our own to develop against: the protocol of the Invoice Registration Portal from the other side.

Another server, written from what the portals publish; it imports nothing of `gst` or `portal`, or one mistake would
pass both. `portal.Sandbox` is the whole of it without HTTP; `app` serves it; `docs/sandbox.md` tells how to point a
client at it.

codes      error codes and texts            shape      is it INV-01?              register   what is registered
protocol   envelopes and ciphers            law        the business rules         sessions   who is logged in
signing    signed invoice and QR            taxpayers  whose GSTIN is known       switches   what tests make it do
identity   keys and credentials             portal     what each call answers     app, desk  HTTP
"""

"""The portals themselves: what each call answers. No HTTP server, no wall clock, no randomness of their own.

`Sandbox.call` takes a request and the time and gives the answer, synchronously, so a simulation on virtual time can
drive it in process. Paths, headers and answers are those of NIC's e-invoice API: authentication 1.04, e-invoice 1.03.
NIC1 answers below `/` and `/NIC1`, NIC2 below `/NIC2`.

answering  finds the call, lets it fail as the switches say      login      tokens
exchange   a request and its answer                              invoices   generate, look up, cancel, rejected
office     what all calls share                                  eway_bills, gstins
"""

from irnflow.sandbox.portal.answering import Sandbox, too_large
from irnflow.sandbox.portal.exchange import Answer, Request
from irnflow.sandbox.portal.invoices import irn_of

__all__ = ["Answer", "Request", "Sandbox", "irn_of", "too_large"]

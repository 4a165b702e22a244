"""What a service counts. Few label values: the service, the queue or the outcome, never an id."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

handled = Counter("irnflow_handled", "Deliveries settled, by verdict", ["service", "verdict"], registry=REGISTRY)
published = Counter("irnflow_published", "Messages confirmed by the broker", ["service"], registry=REGISTRY)
batch_seconds = Histogram(
    "irnflow_batch_seconds", "Time from take to ack of a micro-batch", ["service"], registry=REGISTRY
)
batch_size = Histogram("irnflow_batch_size", "Deliveries in a micro-batch", ["service"], registry=REGISTRY,
                       buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500))  # fmt: skip
portal_calls = Counter(
    "irnflow_portal_calls", "Calls to the portal, by kind and outcome", ["call", "outcome"], registry=REGISTRY
)
portal_in_flight = Gauge("irnflow_portal_in_flight", "Calls to register that wait for their answer", registry=REGISTRY)
portal_seconds = Histogram("irnflow_portal_seconds", "Time of a call to the portal", ["call"], registry=REGISTRY)
in_doubt = Gauge(
    "irnflow_in_doubt", "Documents whose answer is lost; for longer than `for`", ["for"], registry=REGISTRY
)
crypto_seconds = Counter(
    "irnflow_crypto_seconds",
    "CPU time of the portal's ciphers (cipher), and of checking and comparing what it signed (signature)",
    ["what"],
    registry=REGISTRY,
)
signatures = Counter(
    "irnflow_signatures", "Signed documents that were checked: verified, bad, unknown_key", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
unverified = Gauge(
    "irnflow_unverified", "Registered documents whose key is not in the folder yet: above 0, fetch it",
    registry=REGISTRY,
)  # fmt: skip
distrusted = Gauge(
    "irnflow_distrusted", "Documents whose signature or signed contents are wrong: above 0, a person must look",
    registry=REGISTRY,
)  # fmt: skip
connected = Gauge("irnflow_connected", "1 while a dependency answers", ["service", "dependency"], registry=REGISTRY)


@contextmanager
def cpu(what: str) -> Iterator[None]:
    """Counts this thread's CPU time as that of `what`, one of crypto_seconds'."""
    began = time.thread_time()
    try:
        yield
    finally:
        crypto_seconds.labels(what).inc(time.thread_time() - began)


def exposition() -> bytes:
    """The text that /metrics gives."""
    return generate_latest(REGISTRY)

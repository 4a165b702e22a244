"""irnflow: voucher ids into registered GST e-invoices, each exactly once, each step visible."""

__version__ = "0.1.0"

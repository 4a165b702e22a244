-- The sandbox portal's register. An IRN is here once, whatever becomes of it; its number is never free again.
CREATE TABLE IF NOT EXISTS invoice (
    ack_no         INTEGER PRIMARY KEY,             -- 15 digits, increasing
    irn            TEXT    NOT NULL UNIQUE,
    gstin          TEXT    NOT NULL,                -- the supplier's
    doc_type       TEXT    NOT NULL,
    doc_no         TEXT    NOT NULL,                -- in upper case
    doc_dt         TEXT    NOT NULL,                -- dd/mm/yyyy
    made_at        TEXT    NOT NULL,                -- ISO 8601, UTC, as is cancelled_at
    signed_invoice TEXT    NOT NULL,
    signed_qr      TEXT    NOT NULL,
    cancelled_at   TEXT,                            -- NULL: active
    cancel_reason  TEXT,                            -- 1 duplicate, 2 data entry mistake, 3 order cancelled, 4 others
    cancel_remark  TEXT,
    duplicates     INTEGER NOT NULL DEFAULT 0       -- generate calls for it after the one that made it
) STRICT;

CREATE INDEX IF NOT EXISTS invoice_document ON invoice (gstin, doc_no, doc_type);

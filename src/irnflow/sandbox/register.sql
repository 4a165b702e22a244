-- The sandbox portals' register. An IRN is here once a portal, whatever becomes of it; its number is never free again.
CREATE TABLE IF NOT EXISTS invoice (
    ack_no         INTEGER PRIMARY KEY,             -- 15 digits, increasing over both portals
    portal         TEXT    NOT NULL,                -- NIC1 or NIC2: where it was registered
    irn            TEXT    NOT NULL,
    gstin          TEXT    NOT NULL,                -- the supplier's
    doc_type       TEXT    NOT NULL,
    doc_no         TEXT    NOT NULL,                -- in upper case
    doc_dt         TEXT    NOT NULL,                -- dd/mm/yyyy
    made_at        TEXT    NOT NULL,                -- ISO 8601, UTC, as are the times below
    signed_invoice TEXT    NOT NULL,
    signed_qr      TEXT    NOT NULL,
    cancelled_at   TEXT,                            -- NULL: not cancelled
    cancel_reason  TEXT,                            -- 1 duplicate, 2 data entry mistake, 3 order cancelled, 4 others
    cancel_remark  TEXT,
    duplicates     INTEGER NOT NULL DEFAULT 0,      -- generate calls for it after the one that made it
    contested      INTEGER NOT NULL DEFAULT 0,      -- 1: the other portal had it, and the look-up didn't say so
    rejected_at    TEXT,                            -- when a contested one lost
    UNIQUE (irn, portal)
) STRICT;

CREATE INDEX IF NOT EXISTS invoice_document ON invoice (gstin, doc_no, doc_type);
CREATE INDEX IF NOT EXISTS invoice_contested ON invoice (ack_no) WHERE contested;

-- Two e-way bill portals share the bills; the third digit of a number says which issued it.
CREATE TABLE IF NOT EXISTS eway_bill (
    ewb_no         INTEGER PRIMARY KEY,             -- 12 digits, increasing for each of them
    portal         TEXT    NOT NULL,                -- through which it was asked for
    irn            TEXT    NOT NULL,
    gstin          TEXT    NOT NULL,                -- who asked for it
    made_at        TEXT    NOT NULL,
    valid_till     TEXT,                            -- NULL: Part A only, the goods may not move yet
    cancelled_at   TEXT,
    cancel_reason  TEXT,
    cancel_remark  TEXT
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS eway_bill_active ON eway_bill (irn) WHERE cancelled_at IS NULL;

-- Books of our own: what `irnflow up` fills with a sample company, and an example for the queries in default.toml.
-- It runs on PostgreSQL and SQLite; SQLite has no schemas, so there "books." is left out.

create schema if not exists books;

create table if not exists books.party (
    party_id     text primary key,
    gstin        text, -- URP: not registered, a buyer abroad
    legal_name   text,
    trade_name   text,
    address_1    text,
    address_2    text,
    place        text,
    pin          text, -- as typed
    state        text, -- code of two digits; 96: abroad
    phone        text,
    email        text
);

create table if not exists books.voucher (
    voucher_id           text primary key,
    supply_type          text,
    reverse_charge       boolean not null default false,
    document_type        text,
    document_number      text,
    document_date        date,
    seller               text not null references books.party,
    buyer                text not null references books.party,
    dispatched_from      text references books.party, -- null: the seller
    shipped_to           text references books.party, -- null: the buyer
    place_of_supply      text,
    taxable_value        numeric(16, 2),
    cgst                 numeric(16, 2),
    sgst                 numeric(16, 2),
    igst                 numeric(16, 2),
    other_charges        numeric(16, 2),
    round_off            numeric(16, 2),
    total_value          numeric(16, 2),
    total_value_foreign  numeric(16, 2), -- in `currency`
    currency             text,
    country              text,
    port_code            text,
    shipping_bill_number text,
    shipping_bill_date   date,
    preceding_number     text, -- the invoice that a credit or debit note is about
    preceding_date       date,
    remarks              text,
    -- irnflow writes these and nothing else
    einvoice_status      text,
    irn                  text,
    ack_no               text,
    ack_dt               timestamp, -- IST, as the portal signed it
    signed_qr            text
);

create table if not exists books.line (
    voucher_id    text not null references books.voucher,
    line_no       int not null,
    description   text,
    is_service    boolean not null default false,
    hsn           text,
    quantity      numeric(18, 3),
    unit          text,
    unit_price    numeric(18, 3),
    gross_amount  numeric(16, 2),
    discount      numeric(16, 2),
    taxable_value numeric(16, 2),
    gst_rate      numeric(6, 3),
    igst          numeric(16, 2),
    cgst          numeric(16, 2),
    sgst          numeric(16, 2),
    total_value   numeric(16, 2),
    primary key (voucher_id, line_no)
);

-- Books of our own: what `irnflow up` fills with a sample company, and an example for the queries in default.toml.
-- It runs on PostgreSQL and SQLite; SQLite has no schemas, so there "books." is left out. Columns that older books lack
-- are added by own.py, from here: one column a line.

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
    ecommerce_gstin      text,
    igst_on_intra        boolean,
    cess                 numeric(16, 2),
    state_cess           numeric(16, 2),
    discount             numeric(16, 2), -- of the document, after its lines
    payee_name           text,
    payee_account        text,
    payment_mode         text,
    payee_ifsc           text,
    payment_terms        text,
    payment_instruction  text,
    credit_transfer      text,
    direct_debit         text,
    credit_days          int,
    paid_amount          numeric(16, 2),
    due_amount           numeric(16, 2),
    period_from          date,
    period_to            date,
    preceding_reference  text,
    receipt_advice_number text,
    receipt_advice_date  date,
    tender_reference     text,
    contract_reference   text,
    external_reference   text,
    project_reference    text,
    purchase_order_number text,
    purchase_order_date  date,
    document_url         text,
    document_information text,
    refund_claimed       boolean,
    export_duty          numeric(16, 2),
    transporter_id       text,
    transporter_name     text,
    transport_mode       text, -- 1 road, 2 rail, 3 air, 4 ship
    distance_km          int,
    transport_document_number text,
    transport_document_date date,
    vehicle_number       text,
    vehicle_type         text, -- O: over-dimensional, R
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
    unit_price    numeric, -- as fine as it was given: quantity times price is rounded, and not the price before
    gross_amount  numeric(16, 2),
    discount      numeric(16, 2),
    taxable_value numeric(16, 2),
    gst_rate      numeric(6, 3),
    igst          numeric(16, 2),
    cgst          numeric(16, 2),
    sgst          numeric(16, 2),
    total_value   numeric(16, 2),
    barcode       text,
    batch_number  text,
    batch_expiry  date,
    batch_warranty date,
    free_quantity numeric(18, 3),
    pre_tax_value numeric(16, 2),
    cess_rate     numeric(6, 3),
    cess          numeric(16, 2),
    cess_non_advalorem numeric(16, 2),
    state_cess_rate numeric(6, 3),
    state_cess    numeric(16, 2),
    state_cess_non_advalorem numeric(16, 2),
    other_charges numeric(16, 2),
    order_line    text,
    origin_country text,
    serial_number text,
    attribute_name text,
    attribute_value text,
    primary key (voucher_id, line_no)
);

-- Whether a document stands here already, under whatever voucher id.
create index if not exists voucher_document_number on books.voucher (upper(document_number));

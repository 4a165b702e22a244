-- Books of another make: numbers as ids, floats for money, timestamps, padded codes, flags as words.

create table firm (
    firm_no  integer primary key,
    name     text not null,
    tax_no   char(15),
    street   text,
    town     text,
    pin_code integer,
    region   integer
);

create table document (
    doc_no     integer primary key,
    series     text not null,
    made_on    timestamp not null,
    kind       char(4) not null, -- SI: sales invoice, SR: sales return
    sold_by    integer not null references firm,
    sold_to    integer not null references firm,
    rcm        text not null default 'No',
    net        double precision,
    tax        double precision,
    gross      double precision,
    edited_by  text,
    gst_state  text,
    gst_hash   char(64),
    gst_ack    bigint,
    gst_ack_at timestamp,
    gst_qr     text,
    check (gst_ack is null or gst_ack < 900000000000000)
);

create table document_row (
    doc_no integer not null references document,
    row_no integer not null,
    item   text,
    tariff integer,
    qty    double precision,
    uom    text,
    price  double precision,
    value  double precision,
    rate   double precision,
    tax    double precision,
    primary key (doc_no, row_no)
);

insert into firm values (1, 'Sahyadri Pumps and Controls Private Limited', '27ZZQCS4821M1ZM', 'Plot 14', 'Pune', 411026, 27);
insert into firm values (2, 'Yamuna Electricals', '07ZZYFE5093Q1Z6', 'B-57, Okhla', 'New Delhi', 110020, 7);

insert into document (doc_no, series, made_on, kind, sold_by, sold_to, rcm, net, tax, gross, edited_by)
values (501, 'X/501', '2026-11-20 17:30:00', 'SI', 1, 2, 'No', 6930.3, 1247.454, 8177.754, 'asha');
insert into document (doc_no, series, made_on, kind, sold_by, sold_to, rcm, net, tax, gross, edited_by)
values (502, 'X/502', '2026-11-21 09:00:00', 'SR', 1, 2, 'Yes', 100.1, 18.018, 118.118, 'ravi');

insert into document_row values (501, 2, 'Gasket', 40169330, 0.1, 'NOS', 3.0, 0.3, 18, 0.054);
insert into document_row values (501, 1, 'Impeller', 84139190, 3, 'NOS', 2310.0, 6930.0, 18, 1247.4);
insert into document_row values (502, 1, 'Impeller', 84139190, 1, 'NOS', 100.1, 100.1, 18, 18.018);

-- What becomes of an IRN after its registration; the rules are in migrations/0006_lifecycle.sql.

-- cancel: asks for IRNs of an account to be cancelled, with $4 after their e-way bills; an outcome each
select w.irn, asked.*
  from unnest($2::text[]) with ordinality as w (irn, place)
  cross join lateral irnflow.ask_cancel($1::bigint, w.irn, $3::text::jsonb, $4::text::jsonb, $5::text, $6::timestamptz,
                                        $7::interval, $8::interval) asked
 order by w.place;

-- eway_bill: asks for the e-way bill of an IRN
select * from irnflow.ask_eway_bill($1::bigint, $2::text, $3::text::jsonb, $4::text, $5::timestamptz);

-- eway_bill_cancel: asks for the e-way bill of an IRN to be cancelled
select * from irnflow.ask_eway_bill_cancel($1::bigint, $2::text, $3::text::jsonb, $4::text, $5::timestamptz, $6::interval);

-- eway_bill_fetch: asks the portal which e-way bill an IRN has
select * from irnflow.ask_eway_bill_fetch($1::bigint, $2::text, $3::text, $4::timestamptz);

-- irn: a document at the portal
select irn, state::text, gstin, doc_typ, doc_no, doc_dt, voucher_id, books, portal, ack_no, ack_dt, signed_qr, verified
  from irnflow.registration where irn = $2::text and account_id = $1::bigint;

-- payload: what was sent of a document, as JSON
select convert_from(q.payload, 'UTF8') as payload
  from irnflow.registration r
  join irnflow.registration_request q on q.batch_id = r.batch_id and q.transaction_id = r.transaction_id
 where r.irn = $2::text and r.account_id = $1::bigint;

-- bills: the e-way bills of an IRN, newest first
select ewb_no, made_at, valid_till, distance, cancelled_at from irnflow.eway_bill where irn = $1::text
 order by cancelled_at is not null, made_at desc;

-- actions: of an account, newest first: those below $2, of an IRN, kind, state, or with these ids, where they are given
select action_id, irn, kind::text, state::text, request::text, ewb_no, first_half, asked_by, asked_at, cause, codes, says,
       fix, answer::text, updated_at
  from irnflow.action
 where account_id = $1::bigint and action_id < $2::bigint
   and ($3::text is null or irn = $3::text)
   and ($4::text is null or kind = $4::text::irnflow.action_kind)
   and ($5::text is null or state = $5::text::irnflow.action_state)
   and ($6::bigint[] is null or action_id = any ($6::bigint[]))
 order by action_id desc limit $7::int;

-- lease: actions to ask the portal for, and to look up
select what, action_id, kind::text, irn, gstin, portal, request, ewb_no, began, send, sent_at, not_done
  from irnflow.action_lease($1::timestamptz, $2::timestamptz, $3::timestamptz, $4::int, $5::text[], $6::text[],
                            $7::float8[], $8::text[], $9::int[], $10::int);

-- settle: what calls and look-ups came to; gives the actions to tell
select action_id, kind::text, state::text, ewb_no, cause, codes, says, fix, answer::text, request::text, telling, tell_at,
       made_at, valid_till, distance, batch_id, transaction_id, batch_no, account_id, books, read_digest,
       irn, ack_no, ack_dt, signed_qr, verified
  from irnflow.action_settle(
    $1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[]::jsonb[], $11::int[], $12::timestamptz[], $13::timestamptz, $14::timestamptz);

-- untold: actions to tell, for the first time or again
select action_id, kind::text, state::text, ewb_no, cause, codes, says, fix, answer::text, request::text, telling, tell_at,
       made_at, valid_till, distance, batch_id, transaction_id, batch_no, account_id, books, read_digest,
       irn, ack_no, ack_dt, signed_qr, verified
  from irnflow.action_untold($1::timestamptz, $2::timestamptz, $3::interval, $4::int);

-- told: they have been told
select irnflow.action_told($1::bigint[], $2::smallint[], $3::timestamptz[], $4::timestamptz);

-- with_invoice: what answers to registrations say of the e-way bills that the invoices asked for
select irnflow.eway_bill_with_invoice(w.irn, w.said, $3::timestamptz, $4::timestamptz)
  from unnest($1::text[], $2::text[]::jsonb[]) as w (irn, said);

-- gstin_want: what is known of a GSTIN; asked for when that is too old
select gstin, details::text, fetched_at, says, asked_at, wanted_at
  from irnflow.gstin_want($1::text, $2::bigint, $3::boolean, $4::interval, $5::timestamptz);

-- gstin: what is known of a GSTIN
select gstin, details::text, fetched_at, says, asked_at, wanted_at from irnflow.gstin_detail where gstin = $1::text;

-- gstin_lease: GSTINs to ask the portal for, and with whose login
select * from irnflow.gstin_lease($1::timestamptz, $2::timestamptz, $3::int, $4::text[], $5::text[], $6::float8[]);

-- gstin_keep: what the portal said of one
select irnflow.gstin_keep($1::text, $2::text::jsonb, $3::text, $4::timestamptz);

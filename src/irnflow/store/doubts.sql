-- What is in doubt, and what people decide of it; the rules are in migrations/0007_doubt.sql.

-- open: an account's documents in doubt behind a position, the oldest first
select irn, books, voucher_id, gstin, doc_typ, doc_no, doc_dt, portal, sent_at, next_at, not_there, why, found, looked_at
  from irnflow.doubt
 where account_id = $1::bigint and (sent_at, irn) > ($2::timestamptz, $3::text)
 order by sent_at, irn limit $4::int;

-- sent: what was sent of a document, and what has become of it
select r.irn, r.state::text, r.attempt, r.gstin, r.doc_typ, r.doc_no, r.portal, r.sent_at,
       r.signed_invoice is not null as has_document, q.payload
  from irnflow.registration r
  join irnflow.registration_request q on q.batch_id = r.batch_id and q.transaction_id = r.transaction_id
 where r.account_id = $1::bigint and r.irn = $2::text;

-- look: the next look-up, as soon as one can tell anything
select * from irnflow.doubt_look($1::bigint, $2::text, $3::interval, $4::interval, $5::text, $6::text, $7::timestamptz);

-- actions: an account's actions in doubt, the oldest first
select a.action_id, a.irn, a.kind::text, a.sent_at, a.next_at, a.not_done, a.says, r.gstin, r.doc_typ, r.doc_no, r.doc_dt,
       r.portal
  from irnflow.action a join irnflow.registration r using (irn)
 where a.state = 'UNKNOWN' and a.account_id = $1::bigint order by a.sent_at, a.action_id limit $2::int;

-- look_action: the next look-up of an action, as soon as one can tell anything
select * from irnflow.action_look($1::bigint, $2::bigint, $3::interval, $4::interval, $5::text, $6::text, $7::timestamptz);

-- decide_action: how an action ended, by a person, after the window
select * from irnflow.action_decide(
    $1::bigint, $2::bigint, $3::boolean, $4::text, $5::interval, $6::text, $7::text, $8::timestamptz);

-- send_again: the identical payload once more, after the window
select * from irnflow.doubt_send_again($1::bigint, $2::text, $3::interval, $4::text, $5::text, $6::timestamptz);

-- document: the signed document, brought by a person
select * from irnflow.doubt_document(
    $1::bigint, $2::text, $3::int, $4::interval, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text,
    $11::timestamptz);

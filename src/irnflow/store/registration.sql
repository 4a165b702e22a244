-- What the registration service asks of the store; the rules are in migrations/0005_registration.sql.

-- arrive: takes requests from the queue.
select * from irnflow.registration_arrive(
    $1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::bytea[], $13::bytea[], $14::date[], $15::text, $16::timestamptz);

-- lease: READY documents become INTENT, committed before any call.
select * from irnflow.registration_lease(
    $1::timestamptz, $2::timestamptz, $3::int, $4::text[], $5::text[], $6::float8[], $7::text[], $8::int[], $9::int);

-- paced: whether documents wait that could be sent but for their pace, a breaker, or a pause
select exists (select from irnflow.registration where state = 'READY' and next_at <= $1::timestamptz) as waiting;

-- errors: counts refusals of the portals, and gives the sums since $5
select gstin, client_id, of_gstin, of_client
  from irnflow.count_errors($1::text[], $2::text[], $3::int[], $4::date, $5::date);

-- stop_client: nobody logs in with a client's id until a person has mended what is wrong
select irnflow.client_stop($1::text, $2::text);

-- sweep_due: days to be asked for registrations that were struck off, of the last $2 up to $1, and whether they are now
select portal, gstin, day, is_leased
  from irnflow.sweep_due($1::date, $2::int, $3::timestamptz, $4::timestamptz, $5::int, $6::text[], $7::text[],
                         $8::float8[]);

-- swept: what a day's list said
select irnflow.swept($1::text, $2::text, $3::date, $4::text[], $5::timestamptz) as struck_off;

-- report: how calls fared
select irnflow.pace_report($1::text[], $2::text[], $3::text[], $4::float8[], $5::int, $6::timestamptz);

-- settle: what calls and look-ups came to; gives the requests to tell.
select batch_id, transaction_id, batch_no, account_id, books, read_digest, irn, verdict::text, tell_at, state::text,
       doc_no, ack_no, ack_dt, signed_qr, verified, sends, payload, current_payload,
       distrust
  from irnflow.registration_settle(
    $1::text[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]::jsonb[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::int[], $16::timestamptz[],
    $17::text[], $18::timestamptz, $19::timestamptz);

-- expire: calls whose lease ran out become UNKNOWN; the first look-up at $2.
select irnflow.registration_expire($1::timestamptz, $2::timestamptz) as n;

-- due: UNKNOWN documents whose look-up is due.
select * from irnflow.registration_due($1::timestamptz, $2::timestamptz, $3::int, $4::text[], $5::float8[]);

-- doubts_aged: how many are in doubt, and of those how many for longer than $2 and $3; the oldest.
select * from irnflow.doubts_aged($1::timestamptz, $2::interval, $3::interval);

-- untold: outcomes that are to be told.
select batch_id, transaction_id, batch_no, account_id, books, read_digest, irn, verdict::text, tell_at, state::text,
       doc_no, ack_no, ack_dt, signed_qr, verified, sends, payload, current_payload,
       distrust
  from irnflow.registration_untold($1::timestamptz, $2::timestamptz, $3::int);

-- told: they have been told.
select irnflow.registration_told($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz);

-- stop: nothing of a GSTIN is sent until a person has mended what is wrong.
select irnflow.gstin_stop($1::text, $2::text);

-- stop_login: nor does anybody log it in to a family of portals.
select irnflow.login_stop($1::text, $2::text, $3::text);

-- why_stopped: why nothing of a GSTIN goes to a family of portals; null: it goes.
select coalesce(g.stopped, c.stopped) as stopped
  from irnflow.gstin g left join irnflow.credentials c on c.gstin = g.gstin and c.family = $2::text
 where g.gstin = $1::text;

-- session_take: the session of a GSTIN, or the right to log in.
select sealed, claimed, put_off, stopped from irnflow.session_take(
    $1::text, $2::text, $3::timestamptz, $4::timestamptz, $5::timestamptz, $6::timestamptz);

-- session_keep: what a login gave, for all workers.
select irnflow.session_keep($1::text, $2::text, $3::bytea, $4::timestamptz, $5::timestamptz, $6::timestamptz);

-- session_put_off: a login that came to nothing for now.
select irnflow.session_put_off($1::text, $2::text, $3::timestamptz, $4::text, $5::timestamptz, $6::interval);

-- session_refused: a login that the portal refused; it is stopped.
select irnflow.session_refused($1::text, $2::text, $3::timestamptz, $4::text);

-- session_give_up: the right to log in is given back.
select irnflow.session_give_up($1::text, $2::text, $3::timestamptz);

-- session_forget: nobody uses this session again; its login is stopped where a reason is given.
select irnflow.session_forget($1::text, $2::text, $3::bytea, $4::text) as forgotten;

-- signatures: how many documents wait for their key, and how many are not to be trusted.
select (select count(*) from irnflow.registration
         where verified is null and signed_invoice is not null and state in ('ACCEPTED', 'CANCELLED')) as waiting,
       (select count(*) from irnflow.registration where verified is false) as distrusted;

-- unverified: documents of a portal that these keys can verify now.
select irn, gstin, doc_typ, doc_no, ack_no, ack_dt, signed_invoice, signed_qr, payload
  from irnflow.registration_unverified($1::text, $2::text[], $3::int);

-- verify: what became of the signatures of such documents; gives whether there is anything to tell.
select irnflow.registration_verify($1::text[], $2::boolean[], $3::text[], $4::text[], $5::timestamptz) as to_tell;

-- Registration, exactly once: the arrival rules and the states of a document at the portal, where they are enforced.
-- Every function takes a batch of rows as arrays and the time, and is one transaction.

-- A request with what has become of its document: all that is needed to tell it.
create view irnflow.outcome as
select q.batch_id, q.transaction_id, q.batch_no, q.account_id, q.books, q.read_digest, q.irn, q.verdict, q.tell_at,
       r.state, r.doc_no, r.ack_no, r.ack_dt, r.signed_qr, r.verified, r.sends,
       case when q.digest <> r.digest then q.payload end as payload, -- both only where they differ
       case when q.digest <> r.digest then
           (select p.payload from irnflow.registration_request p
             where p.batch_id = r.batch_id and p.transaction_id = r.transaction_id) end as current_payload,
       r.distrust
  from irnflow.registration_request q
  left join irnflow.registration r on r.irn = q.irn;

-- The faults of an earlier rejection of exactly this payload, or null.
create function irnflow.rejected_before(p_irn text, p_digest bytea) returns jsonb stable language sql as $$
    select faults from irnflow.attempt
     where irn = p_irn and digest = p_digest and outcome = 'REJECTED' order by at desc limit 1;
$$;

-- Whether the portal has said that this number is spent: then it is for every payload (2278).
create function irnflow.number_spent(p_irn text) returns boolean stable language sql as $$
    select exists (select from irnflow.attempt where irn = p_irn and '2278' = any (string_to_array(codes, ',')));
$$;

-- Makes a request's payload the current one of its document, which the portal has not registered.
create function irnflow.request_takes_over(q irnflow.registration_request, p_at timestamptz) returns void
language sql as $$
    update irnflow.registration
       set state = 'READY', attempt = attempt + 1, digest = q.digest, not_there = 0, lease_until = null,
           account_id = q.account_id, books = q.books, voucher_id = q.transaction_id,
           batch_id = q.batch_id, transaction_id = q.transaction_id, next_at = p_at, updated_at = p_at
     where irn = q.irn;
$$;

-- The arrival rules for a request whose document, or whose voucher, is already known (design.md section 6, step 1):
-- gives the failure that is its answer for ever, or null when it waits or shares what its document has come to.
create function irnflow.request_meets(q irnflow.registration_request, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
    r irnflow.registration;
    other irnflow.registration;
    before jsonb;
begin
    select * into r from irnflow.registration where irn = q.irn for update;
    -- A renumbered voucher must not become a second document.
    select * into other from irnflow.registration
     where account_id = q.account_id and books = q.books and voucher_id = q.transaction_id and irn <> q.irn
       and state in ('READY', 'INTENT', 'UNKNOWN', 'ACCEPTED');
    if found then
        return jsonb_build_object('cause', 'registration.renumbered', 'number', other.doc_no, 'irn', other.irn);
    end if;
    if r.irn is null then -- what stood in the way of the insert has gone: once more
        raise exception 'registration % is being changed', q.irn using errcode = 'serialization_failure';
    end if;
    if (r.account_id, r.books, r.voucher_id) <> (q.account_id, q.books, q.transaction_id) and r.state <> 'REJECTED' then
        return jsonb_build_object('cause', 'registration.number_used', 'number', r.doc_no, 'voucher', r.voucher_id);
    end if;
    if r.state = 'CANCELLED' and q.digest = r.digest and q.requested_at < p_at then
        return null; -- it came before: it was registered, and is cancelled like the others
    end if;
    if r.state = 'CANCELLED' or r.state = 'REJECTED' and irnflow.number_spent(q.irn) then
        return jsonb_build_object('cause', 'portal.2278', 'number', r.doc_no, 'irn', r.irn); -- can never be used again
    end if;
    if r.state = 'REJECTED' then
        before := irnflow.rejected_before(q.irn, q.digest);
        if before is not null then -- the portal has refused exactly this: its words, without a call
            return jsonb_build_object('cause', 'registration.rejected_before', 'faults', before);
        end if;
        perform irnflow.request_takes_over(q, p_at);
    end if;
    return null;
end $$;

-- Takes requests from the queue: new documents become READY in one insert, the rest meet what is known.
-- A request that came before changes nothing and is told again. Gives whether there is work to send, and to tell.
create function irnflow.registration_arrive(
    p_batch_ids bigint[], p_transaction_ids text[], p_batch_nos text[], p_account_ids bigint[], p_books text[],
    p_read_digests text[], p_irns text[], p_gstins text[], p_doc_typs text[], p_doc_nos text[], p_doc_dts text[],
    p_digests bytea[], p_payloads bytea[], p_valid_ons date[], p_portal text, p_at timestamptz)
returns table (to_send bigint, to_tell bigint) language plpgsql
set plan_cache_mode = force_generic_plan -- one plan, row by row through the indexes: one made while tables are empty
set enable_seqscan = off -- would read them whole, and be kept while they grow
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    q irnflow.registration_request;
begin
    insert into irnflow.registration_request
           (batch_id, transaction_id, batch_no, account_id, books, read_digest, irn, digest, payload, valid_on,
            requested_at)
    select a.*, p_at
      from unnest(p_batch_ids, p_transaction_ids, p_batch_nos, p_account_ids, p_books, p_read_digests, p_irns,
                  p_digests, p_payloads, p_valid_ons)
        as a (batch_id, transaction_id, batch_no, account_id, books, read_digest, irn, digest, payload, valid_on)
     order by batch_id, transaction_id
    on conflict do nothing;

    -- Of what is on record, never of what only arrives: a repeated request whose voucher was renumbered or changed
    -- meanwhile, or which has its answer already, makes no document.
    insert into irnflow.registration
           (irn, gstin, doc_typ, doc_no, doc_dt, account_id, books, voucher_id, state, attempt, digest,
            batch_id, transaction_id, portal, next_at, updated_at)
    select known.irn, a.gstin, a.doc_typ, a.doc_no, a.doc_dt, known.account_id, known.books, known.transaction_id,
           'READY', 1, known.digest, known.batch_id, known.transaction_id, p_portal, p_at, p_at
      from unnest(p_batch_ids, p_transaction_ids, p_irns, p_digests, p_gstins, p_doc_typs, p_doc_nos, p_doc_dts)
        as a (batch_id, transaction_id, irn, digest, gstin, doc_typ, doc_no, doc_dt)
      join irnflow.registration_request known using (batch_id, transaction_id, irn, digest)
     where known.verdict is null
     order by known.irn
    on conflict do nothing; -- of the IRN, or of the voucher under another number
    get diagnostics to_send = row_count;

    to_tell := 0;
    if exists (select from irnflow.batch b where b.batch_id = any (p_batch_ids) and b.withdrawn_at is not null) then
        select sum(irnflow.withdraw_unsent(b.batch_id, p_at)) into to_tell from irnflow.batch b
         where b.batch_id = any (p_batch_ids) and b.withdrawn_at is not null;
    end if;
    if to_send < cardinality(p_irns) then
        for q in
            select known.* from unnest(p_batch_ids, p_transaction_ids) as a (batch_id, transaction_id)
              join irnflow.registration_request known using (batch_id, transaction_id)
              left join irnflow.registration r on r.irn = known.irn and r.batch_id = known.batch_id
                                              and r.transaction_id = known.transaction_id
             where r.irn is null or r.state not in ('READY', 'INTENT')
             order by known.irn
        loop
            if q.verdict is null and not exists (select from irnflow.registration r where r.irn = q.irn
                    and r.batch_id = q.batch_id and r.transaction_id = q.transaction_id) then
                q.verdict := irnflow.request_meets(q, p_at);
            end if;
            update irnflow.registration_request set verdict = q.verdict, tell_at = p_at
             where batch_id = q.batch_id and transaction_id = q.transaction_id
               and (q.verdict is not null or exists (select from irnflow.registration r
                     where r.irn = q.irn and r.state in ('UNKNOWN', 'ACCEPTED', 'CANCELLED')));
            to_tell := to_tell + 1;
        end loop;
        to_send := to_send + to_tell; -- some of them may have taken over a rejected document
    end if;
    return next;
end $$;

-- How often a payload was refused with a code that allows two more tries (RETRY_LIMITED).
create function irnflow.sent_limited(p_irn text, p_attempt int) returns int stable language sql as $$
    select count(*)::int from irnflow.attempt where irn = p_irn and attempt = p_attempt and outcome = 'LIMITED';
$$;

-- The request whose payload a call carried.
create function irnflow.request_of_send(p_irn text, p_send int)
returns table (digest bytea, batch_id bigint, transaction_id text) stable language sql as $$
    select s.digest, q.batch_id, q.transaction_id
      from irnflow.attempt s
      join irnflow.registration_request q on q.irn = s.irn and q.digest = s.digest
     where s.irn = p_irn and s.send = p_send and s.what = 'send' limit 1;
$$;

-- Settles calls and look-ups. An ACCEPTED wins over any state; everything else counts only for the send it is about.
--   ACCEPTED   registered: ack and signed texts are kept
--   REJECTED   refused for what the document says: this payload is never sent again
--   UNLISTED   refused with a code that we don't know: a person decides, the same payload may come again
--   NOT_DONE   certainly not registered: READY again at next_at
--   UNKNOWN    the answer is lost, or still not found: the next look-up at next_at
-- Gives the requests to be told, leased to the caller until p_tell_until.
create function irnflow.registration_settle(
    p_irns text[], p_attempts int[], p_sends int[], p_whats text[], p_outcomes text[], p_answers text[],
    p_codes text[], p_says text[], p_verdicts jsonb[], p_ack_nos text[], p_ack_dts text[], p_signed_invoices text[],
    p_signed_qrs text[], p_verifieds boolean[], p_not_theres int[], p_next_ats timestamptz[], p_portals text[],
    p_at timestamptz, p_tell_until timestamptz)
returns setof irnflow.outcome language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    told_batches bigint[];
    told_transactions text[];
    refused text[];
    q irnflow.registration_request;
begin
    -- In IRN order, so that two settlers never wait for each other in a ring.
    perform from irnflow.registration where irn = any (p_irns) order by irn for update;

    with result as (
        select * from unnest(p_irns, p_attempts, p_sends, p_whats, p_outcomes, p_answers, p_codes, p_says, p_verdicts,
                             p_ack_nos, p_ack_dts, p_signed_invoices, p_signed_qrs, p_verifieds, p_not_theres, p_next_ats,
                             p_portals)
            as x (irn, attempt, send, what, outcome, answer, codes, says, verdict,
                  ack_no, ack_dt, signed_invoice, signed_qr, verified, not_there, next_at, portal)),
    changed as (
        update irnflow.registration r
           set state = case x.outcome when 'NOT_DONE' then 'READY' when 'UNLISTED' then 'REJECTED' else x.outcome
                       end::irnflow.registration_state,
               -- What was not to be trusted is kept until something better takes its place, and told by nobody.
               -- What a duplicate (2150) told is kept too: when it is too old to be fetched, there is nothing else.
               ack_no = case when p.keeps or r.verified is null then coalesce(x.ack_no, r.ack_no) else x.ack_no end,
               ack_dt = case when p.keeps or r.verified is null then coalesce(x.ack_dt, r.ack_dt) else x.ack_dt end,
               signed_invoice = case when p.keeps then coalesce(x.signed_invoice, r.signed_invoice)
                                     else x.signed_invoice end,
               signed_qr = case when p.keeps then coalesce(x.signed_qr, r.signed_qr) else x.signed_qr end,
               verified = case when p.keeps then coalesce(x.verified, r.verified) else x.verified end,
               distrust = case when x.verified is false then x.says when p.keeps and x.verified is null then r.distrust end,
               portal = coalesce(x.portal, r.portal), -- whoever has issued it
               not_there = x.not_there, next_at = x.next_at, lease_until = null, updated_at = p_at,
               bound = r.bound or x.outcome = 'UNKNOWN',
               -- A late success may be of an earlier payload: that one is what the portal has.
               (digest, batch_id, transaction_id) = (
                   select coalesce(sent.digest, r.digest), coalesce(sent.batch_id, r.batch_id),
                          coalesce(sent.transaction_id, r.transaction_id)
                     from (select) nothing left join irnflow.request_of_send(x.irn, x.send) sent on x.attempt <> r.attempt)
          from result x, lateral (select x.outcome not in ('ACCEPTED', 'NOT_DONE') as keeps) p
         where r.irn = x.irn
           and (x.outcome = 'ACCEPTED' and r.state not in ('ACCEPTED', 'CANCELLED')
                or r.attempt = x.attempt and r.sends = x.send and r.state in ('INTENT', 'UNKNOWN'))
        returning r.irn, r.digest, r.state, x.what, x.verdict, x.verified),
    ledger as (
        insert into irnflow.attempt
               (batch_id, irn, attempt, send, digest, what, outcome, portal, codes, says, faults, at)
        select r.batch_id, x.irn, x.attempt, x.send,
               case when x.attempt = r.attempt then r.digest
                    else (select sent.digest from irnflow.request_of_send(x.irn, x.send) sent) end,
               x.what, x.answer, r.portal, x.codes, x.says, x.verdict -> 'faults', p_at
          from result x join irnflow.registration r on r.irn = x.irn),
    told as (
        update irnflow.registration_request w
           set verdict = case when c.state = 'REJECTED' then c.verdict end, tell_at = p_tell_until
          from changed c
         where w.irn = c.irn and w.verdict is null
           and (c.state = 'ACCEPTED' or c.state = 'REJECTED' and w.digest = c.digest
                or c.state = 'UNKNOWN' and (c.what = 'send' or c.verified is false))
        returning w.batch_id, w.transaction_id)
    select (select array_agg(batch_id) from told), (select array_agg(transaction_id) from told),
           (select array_agg(irn) from changed where state = 'REJECTED')
      into told_batches, told_transactions, refused;

    -- Whoever joined a document with another payload has its turn, now that the first one is refused.
    for q in
        select * from irnflow.registration_request w where w.irn = any (refused) and w.verdict is null
         order by w.requested_at
    loop
        q.verdict := irnflow.request_meets(q, p_at);
        if q.verdict is not null then
            update irnflow.registration_request set verdict = q.verdict, tell_at = p_at
             where batch_id = q.batch_id and transaction_id = q.transaction_id;
        end if;
    end loop;

    return query
    select o.* from unnest(told_batches, told_transactions) as t (batch_id, transaction_id)
      join irnflow.outcome o using (batch_id, transaction_id);
end $$;

-- Calls whose lease ran out: whoever made them died, and the answer counts as lost. Gives how many.
create function irnflow.registration_expire(p_at timestamptz, p_look_at timestamptz) returns bigint language sql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    with expired as (
        select irn from irnflow.registration where state = 'INTENT' and lease_until < p_at
         order by irn for update skip locked),
    changed as (
        update irnflow.registration r
           set state = 'UNKNOWN', bound = true, next_at = p_look_at, not_there = 0, lease_until = null, updated_at = p_at
          from expired where r.irn = expired.irn
        returning r.*),
    ledger as (
        insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, says, at)
        select batch_id, irn, attempt, sends, digest, 'send', 'UNKNOWN', portal, 'no answer was recorded in time', p_at
          from changed),
    told as (
        update irnflow.registration_request w set tell_at = p_at from changed c
         where w.irn = c.irn and w.verdict is null)
    select count(*) from changed;
$$;

-- With which code the portal said of a call that the document is registered already; '' when it said no such thing.
create function irnflow.said_duplicate(p_irn text, p_send int) returns text stable language sql as $$
    select coalesce((
        select code.code from irnflow.attempt a, unnest(string_to_array(a.codes, ',')) as code (code)
         where a.irn = p_irn and a.send = p_send and a.what = 'send' and code.code in ('2150', '2295')
         order by code.code desc limit 1), '');
$$;

-- The faults of a call that was refused with a code that decides nothing by itself, when the look-up that followed it
-- decided nothing either; null: it came to something else.
create function irnflow.refused_undecided(p_irn text, p_send int) returns text stable language sql as $$
    select coalesce(faults, '[]')::text from irnflow.attempt
     where irn = p_irn and send = p_send and what = 'send' and outcome = 'REFUSED' limit 1;
$$;

-- Leases outcomes that are to be told.
create function irnflow.registration_untold(p_at timestamptz, p_tell_until timestamptz, p_most int)
returns setof irnflow.outcome language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    batches bigint[];
    transactions text[];
begin
    with due as (
        select batch_id, transaction_id from irnflow.registration_request
         where tell_at <= p_at order by tell_at limit p_most for update skip locked),
    leased as (
        update irnflow.registration_request q set tell_at = p_tell_until
          from due where q.batch_id = due.batch_id and q.transaction_id = due.transaction_id
        returning q.batch_id, q.transaction_id)
    select array_agg(batch_id), array_agg(transaction_id) into batches, transactions from leased;
    return query
    select o.* from unnest(batches, transactions) as t (batch_id, transaction_id)
      join irnflow.outcome o using (batch_id, transaction_id);
end $$;

-- Marks outcomes told, unless something newer is to be told meanwhile.
create function irnflow.registration_told(
    p_batch_ids bigint[], p_transaction_ids text[], p_states text[], p_tell_ats timestamptz[], p_at timestamptz)
returns void language sql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    update irnflow.registration_request q
       set told = t.state::irnflow.registration_state, told_at = p_at,
           tell_at = case when q.tell_at = t.tell_at then null else q.tell_at end
      from unnest(p_batch_ids, p_transaction_ids, p_states, p_tell_ats) as t (batch_id, transaction_id, state, tell_at)
     where q.batch_id = t.batch_id and q.transaction_id = t.transaction_id;
$$;

-- Sends nothing more of a GSTIN, to whatever portal, until a person has mended what is wrong.
create function irnflow.gstin_stop(p_gstin text, p_reason text) returns void language sql as $$
    update irnflow.gstin set stopped = p_reason where gstin = p_gstin and stopped is null;
$$;

-- Stops the login of a GSTIN at a family of portals, until a person has mended what is wrong; others may serve meanwhile.
create function irnflow.login_stop(p_gstin text, p_family text, p_reason text) returns void language sql as $$
    update irnflow.credentials set stopped = p_reason where gstin = p_gstin and family = p_family and stopped is null;
$$;

-- Why a login is stopped, with its family where the GSTIN has others.
create function irnflow.why_no_login(c irnflow.credentials) returns text stable language sql as $$
    select case when count(*) > 1 then c.family || ': ' else '' end || c.stopped
      from irnflow.credentials o where o.gstin = c.gstin;
$$;

-- Why nothing of a GSTIN is sent: it is stopped, or each of its logins is; null: it runs.
create function irnflow.why_stopped(p_gstin text) returns text stable language sql as $$
    select coalesce(min(g.stopped), case when count(*) = count(c.stopped)
                                         then string_agg(irnflow.why_no_login(c), '; ' order by c.family) end)
      from irnflow.gstin g left join irnflow.credentials c using (gstin) where g.gstin = p_gstin;
$$;

-- What a GSTIN logs in with, family by family, without what is secret of it.
create function irnflow.logins(p_gstin text) returns json stable language sql as $$
    select coalesce(json_agg(json_build_object('family', c.family, 'username', c.username, 'client_id', c.client_id,
                                               'stopped', c.stopped) order by c.family), '[]')
      from irnflow.credentials c where c.gstin = p_gstin;
$$;

-- Removes the credentials of a GSTIN for a family, whose portals these are; its session ends. Gives REMOVED, or why not:
-- NONE (there are none), ONLY (it has no others), IN_DOUBT (documents may have arrived there: look-ups need the login).
create function irnflow.credentials_remove(p_account_id bigint, p_gstin text, p_family text, p_portals text[]) returns text
language plpgsql as $$
begin
    perform from irnflow.gstin where gstin = p_gstin and account_id = p_account_id for update; -- one removal at a time
    if not found or not exists (select from irnflow.credentials where gstin = p_gstin and family = p_family) then
        return 'NONE';
    end if;
    if not exists (select from irnflow.credentials where gstin = p_gstin and family <> p_family) then
        return 'ONLY';
    end if;
    if exists (select from irnflow.registration r where r.gstin = p_gstin and r.portal = any (p_portals)
                  and (r.state in ('INTENT', 'UNKNOWN') or r.state = 'READY' and r.bound)) then
        return 'IN_DOUBT';
    end if;
    delete from irnflow.credentials where gstin = p_gstin and family = p_family;
    delete from irnflow.portal_session where gstin = p_gstin and portal = p_family;
    return 'REMOVED';
end $$;

-- The session of a GSTIN, or the right to log in: claimed is true for exactly one caller until p_login_until, and for
-- nobody while the GSTIN, or its login there, is stopped. A session that ends by p_dead_at is none; one that ends by
-- p_renew_at is to be renewed by whoever claims it, and used by all others meanwhile. put_off: why the last login came
-- to nothing, while the next one has to wait.
create function irnflow.session_take(
    p_portal text, p_gstin text, p_at timestamptz, p_dead_at timestamptz, p_renew_at timestamptz,
    p_login_until timestamptz)
returns table (sealed bytea, claimed boolean, put_off text, stopped text) language plpgsql as $$
declare
    s irnflow.portal_session;
begin
    select * into s from irnflow.portal_session p where p.portal = p_portal and p.gstin = p_gstin;
    if s.expires_at > p_renew_at then
        return query select s.sealed, false, null::text, null::text;
        return;
    end if;
    insert into irnflow.portal_session (portal, gstin) values (p_portal, p_gstin) on conflict do nothing;
    select * into s from irnflow.portal_session p where p.portal = p_portal and p.gstin = p_gstin for update;
    select coalesce(g.stopped, c.stopped) into stopped
      from irnflow.gstin g left join irnflow.credentials c on c.gstin = g.gstin and c.family = p_portal
     where g.gstin = p_gstin;
    claimed := stopped is null and coalesce(s.expires_at <= p_renew_at, true)
               and coalesce(s.login_until <= p_at, true);
    if claimed then
        update irnflow.portal_session p set login_until = p_login_until, put_off = null
         where p.portal = p_portal and p.gstin = p_gstin;
    else
        put_off := s.put_off;
    end if;
    sealed := case when s.expires_at > p_dead_at then s.sealed end;
    return next;
end $$;

-- Keeps what a login gave, for all workers. Whoever has lost the right to it meanwhile keeps nothing: the credentials
-- may be others by now. p_again: not to be renewed before.
create function irnflow.session_keep(
    p_portal text, p_gstin text, p_sealed bytea, p_expires_at timestamptz, p_login_until timestamptz,
    p_again timestamptz)
returns void language sql as $$
    update irnflow.portal_session
       set sealed = p_sealed, expires_at = p_expires_at, login_until = p_again, put_off = null, failures = 0
     where portal = p_portal and gstin = p_gstin and login_until = p_login_until;
$$;

-- A login that came to nothing for now: the next one waits 5 s, 10 s, and so on to 5 minutes, or as long as was asked.
create function irnflow.session_put_off(
    p_portal text, p_gstin text, p_login_until timestamptz, p_reason text, p_at timestamptz, p_wait interval)
returns void language sql as $$
    update irnflow.portal_session
       set login_until = p_at + greatest(p_wait, least(interval '5 seconds' * 2 ^ failures, interval '5 minutes')),
           put_off = p_reason, failures = least(failures + 1, 10)
     where portal = p_portal and gstin = p_gstin and login_until = p_login_until;
$$;

-- A login that the portal refused: nobody tries again until a person has mended what is wrong.
create function irnflow.session_refused(p_portal text, p_gstin text, p_login_until timestamptz, p_reason text)
returns void language sql as $$
    with refused as (
        update irnflow.portal_session s set sealed = null, expires_at = null, login_until = null
         where s.portal = p_portal and s.gstin = p_gstin and s.login_until = p_login_until
        returning s.gstin)
    update irnflow.credentials c set stopped = p_reason from refused
     where c.gstin = refused.gstin and c.family = p_portal and c.stopped is null;
$$;

-- The right to log in is given back.
create function irnflow.session_give_up(p_portal text, p_gstin text, p_login_until timestamptz)
returns void language sql as $$
    update irnflow.portal_session set login_until = null
     where portal = p_portal and gstin = p_gstin and login_until = p_login_until;
$$;

-- Nobody uses this session again; and its login is stopped where a reason is given. Gives whether it still was the
-- one: another may have taken its place meanwhile.
create function irnflow.session_forget(p_portal text, p_gstin text, p_sealed bytea, p_stop text)
returns boolean language sql as $$
    with gone as (
        update irnflow.portal_session s set sealed = null, expires_at = null
         where s.portal = p_portal and s.gstin = p_gstin and s.sealed = p_sealed
        returning s.gstin),
    stops as (
        update irnflow.credentials c set stopped = p_stop from gone
         where c.gstin = gone.gstin and c.family = p_portal and c.stopped is null and p_stop is not null)
    select exists (select from gone);
$$;

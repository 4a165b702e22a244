-- Steering: what people stop for a while, and what they take back before it is sent; and the errors that the portal counts.

-- Takes back what of a batch waits at registration and is not sent: its requests are told WITHDRAWN. A document that
-- another batch asked for too goes on for that one. What is on its way to the portal, or may have arrived, stays.
create function irnflow.withdraw_unsent(p_batch_id bigint, p_at timestamptz) returns bigint language plpgsql as $$
declare
    irns text[];
    taken bigint;
    q irnflow.registration_request;
begin
    select array_agg(r.irn) into irns
      from (select r.irn from irnflow.registration_request w join irnflow.registration r on r.irn = w.irn
             where w.batch_id = p_batch_id and w.verdict is null and r.state = 'READY'
               and not r.bound -- once in doubt, it goes to its end: people have been told that it may be registered
             order by r.irn for update of r) r;

    update irnflow.registration_request w
       set verdict = jsonb_build_object('cause', 'registration.withdrawn'), tell_at = p_at
     where w.batch_id = p_batch_id and w.irn = any (irns) and w.verdict is null;
    get diagnostics taken = row_count;

    update irnflow.registration r set state = 'REJECTED', updated_at = p_at -- not at the portal: whoever asks next takes it over
     where r.irn = any (irns) and r.batch_id = p_batch_id;
    for q in
        select distinct on (w.irn) w.* from irnflow.registration_request w
          join irnflow.registration r on r.irn = w.irn and r.batch_id = p_batch_id
         where w.irn = any (irns) and w.verdict is null order by w.irn, w.requested_at
    loop
        perform irnflow.request_takes_over(q, p_at);
    end loop;
    return taken;
end $$;

-- Withdraws a batch: nothing more of it is sent. Gives how many of its vouchers are certainly taken back, those that
-- were not even released among them; null when the account has no such batch. Again changes nothing.
create function irnflow.withdraw(p_account_id bigint, p_batch_no text, p_at timestamptz) returns bigint
language plpgsql as $$
declare
    b irnflow.batch;
begin
    update irnflow.batch set withdrawn_at = coalesce(withdrawn_at, p_at)
     where account_id = p_account_id and batch_no = p_batch_no returning * into b;
    if not found then
        return null;
    end if;
    perform pg_notify('irnflow_intake', '');
    return b.size - b.released + irnflow.withdraw_unsent(b.batch_id, p_at);
end $$;

-- Requests of withdrawn batches that arrived while the withdrawal was being written.
create function irnflow.withdraw_late(p_at timestamptz) returns bigint language sql as $$
    select coalesce(sum(irnflow.withdraw_unsent(b.batch_id, p_at)), 0)::bigint from irnflow.batch b
     where b.withdrawn_at is not null and b.finished_at is null;
$$;

-- Counts refusals of GSTINs by families of portals, and gives how many each, and its client there, have had since p_since.
create function irnflow.count_errors(p_gstins text[], p_families text[], p_ns int[], p_day date, p_since date)
returns table (gstin text, client_id text, of_gstin bigint, of_client bigint) language plpgsql as $$
#variable_conflict use_column
begin
    insert into irnflow.portal_error as e (gstin, client_id, day, n)
    select w.gstin, w.client_id, p_day, sum(w.n)
      from (select who.gstin, k.client_id, s.n
              from unnest(p_gstins, p_families, p_ns) as s (gstin, family, n)
              join irnflow.credentials k using (gstin, family), unnest(array[s.gstin, '']) as who (gstin)) w
     group by w.gstin, w.client_id
     order by w.gstin, w.client_id
    on conflict (gstin, client_id, day) do update set n = e.n + excluded.n;

    return query
    select k.gstin, k.client_id,
           (select sum(e.n) from irnflow.portal_error e where e.gstin = k.gstin and e.day >= p_since),
           (select sum(e.n) from irnflow.portal_error e
             where e.gstin = '' and e.client_id = k.client_id and e.day >= p_since)
      from unnest(p_gstins, p_families) as s (gstin, family) join irnflow.credentials k using (gstin, family);
end $$;

-- Stops all logins with a client's id; gives how many were good.
create function irnflow.client_stop(p_client_id text, p_reason text) returns bigint language sql as $$
    with stopped as (
        update irnflow.credentials set stopped = p_reason where client_id = p_client_id and stopped is null returning 1)
    select count(*) from stopped;
$$;

-- Which days of a GSTIN at a portal have been asked for registrations that were struck off since.
create table irnflow.sweep (
    portal      text not null,
    gstin       text not null,
    day         date not null,
    lease_until timestamptz not null,
    swept_at    timestamptz,
    primary key (portal, gstin, day)
);

-- Days to be asked for: the last p_back up to p_last, of every GSTIN that sent documents in that time. Those within the
-- pace are leased; what must wait for it is due again a little later, so that it stands in nobody's way.
create function irnflow.sweep_due(
    p_last date, p_back int, p_at timestamptz, p_lease_until timestamptz, p_most int,
    p_portals text[], p_families text[], p_limits float8[])
returns table (portal text, gstin text, day date, is_leased boolean) language plpgsql as $$
#variable_conflict use_column
declare
    later constant interval := '10 seconds';
    due_portals text[];
    due_gstins text[];
    due_days date[];
    taken bigint[];
begin
    select array_agg(w.portal), array_agg(w.gstin), array_agg(w.day) into due_portals, due_gstins, due_days
      from (
        select c.portal, c.gstin, d.day
          from irnflow.pace c, (select p_last - n as day from generate_series(0, p_back - 1) as n) d
         where c.gstin <> '' and c.portal = any (p_portals)
           and exists (select from irnflow.pace k where k.portal = any (p_portals) and k.gstin = c.gstin
                          and k.sent_at >= p_at - (p_back + 1) * interval '1 day')
           and exists (select from irnflow.gstin g join irnflow.credentials k using (gstin)
                        where g.gstin = c.gstin and g.stopped is null and k.stopped is null
                          and k.family = (p_families)[array_position(p_portals, c.portal)])
           and not exists (select from irnflow.pause p where p.what = 'gstin' and p.key = c.gstin)
           and not exists (select from irnflow.sweep s where s.portal = c.portal and s.gstin = c.gstin and s.day = d.day
                              and (s.swept_at is not null or s.lease_until > p_at))
         limit p_most) w;
    if due_days is null then
        return;
    end if;
    taken := irnflow.pace_take(p_portals, p_limits, due_portals, due_gstins, 1, p_most, p_at, p_lease_until);

    return query
    insert into irnflow.sweep as s (portal, gstin, day, lease_until)
    select w.portal, w.gstin, w.day, case when w.place = any (taken) then p_lease_until else p_at + later end
      from unnest(due_portals, due_gstins, due_days) with ordinality as w (portal, gstin, day, place)
    on conflict (portal, gstin, day) do update set lease_until = excluded.lease_until
        where s.swept_at is null and s.lease_until <= p_at
    returning s.portal, s.gstin, s.day, s.lease_until = p_lease_until;
end $$;

-- Writes down what a day's list said; gives how many of our registrations it strikes off. Whoever asked for them is told,
-- and the watchdog looks at their batches again until that is seen.
create function irnflow.swept(p_portal text, p_gstin text, p_day date, p_irns text[], p_at timestamptz)
returns bigint language sql as $$
    with finished as (
        select b.batch_id from irnflow.batch b
         where b.finished_at is not null and b.batch_id in (
            select q.batch_id from irnflow.registration r join irnflow.registration_request q using (irn)
             where r.irn = any (p_irns) and r.portal = p_portal and r.gstin = p_gstin and r.state = 'ACCEPTED')
         order by b.batch_id for no key update) -- as record_events locks them
    update irnflow.batch b set finished_at = null from finished f where b.batch_id = f.batch_id;

    with asked as (
        update irnflow.sweep set swept_at = p_at where portal = p_portal and gstin = p_gstin and day = p_day),
    lost as (
        update irnflow.registration r set state = 'REJECTED', updated_at = p_at
         where r.irn = any (p_irns) and r.portal = p_portal and r.gstin = p_gstin and r.state = 'ACCEPTED'
        returning r.*),
    ledger as (
        insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, codes, says, at)
        select l.batch_id, l.irn, l.attempt, l.sends, l.digest, 'sweep', 'STRUCK_OFF', l.portal, '2295',
               'another portal had it first', p_at from lost l),
    told as (
        update irnflow.registration_request q
           set verdict = jsonb_build_object('cause', 'registration.struck_off', 'number', l.doc_no, 'irn', l.irn,
                                          'was_registered', q.digest = l.digest or q.told is not distinct from 'ACCEPTED'),
               tell_at = p_at
          from lost l where q.irn = l.irn and q.verdict is null
                        and q.told is distinct from 'REJECTED') -- it had other contents
    select count(*) from lost;
$$;

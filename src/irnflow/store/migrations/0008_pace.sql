-- Pace: which documents are sent next, how fast, and to which portal; and what else may be asked of a portal meanwhile.
-- Nothing here makes a call; it says who may.

-- Fills the buckets of these GSTINs at these portals up to p_at, and says how many calls of each may begin.
--   broken   its breaker, the portal's, or a person keeps calls away
--   probe    one call may go, to see whether the portal answers again
-- Only one caller at a time: whoever leases holds irnflow.lease.
create function irnflow.pace_fill(p_portals text[], p_limits float8[], p_gstins text[], p_at timestamptz)
returns table (portal text, gstin text, preference bigint, room float8, broken boolean, probe boolean)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    headroom constant float8 := 0.975; -- of a known limit, so that clocks and networks may stray
    growth constant float8 := 0.005; -- of a rate in a second without 429: back at twice in a bit more than two minutes
begin
    insert into irnflow.pace as c (portal, gstin, rate, filled_at)
    select w.portal, g.gstin, w.most * headroom, p_at
      from unnest(p_portals, p_limits) as w (portal, most), unnest(p_gstins || ''::text) as g (gstin)
     where not exists (select from irnflow.pace k where k.portal = w.portal and k.gstin = g.gstin)
    on conflict do nothing;

    update irnflow.pace c
       set rate = grown.rate,
           tokens = least(greatest(1, 1.2 * grown.rate), c.tokens + grown.rate * passed.s), -- never more than 2 % of a minute
           recent = c.recent * exp(-least(passed.s, 600) / 10),
           filled_at = p_at
      from unnest(p_portals, p_limits) as w (portal, most), unnest(p_gstins) as g (gstin),
           lateral (select greatest(0, extract(epoch from p_at - k.filled_at))::float8 as s from irnflow.pace k
                     where k.portal = w.portal and k.gstin = g.gstin) passed,
           lateral (select case when w.most is null and k.rate * (1 + growth * passed.s) > 1000 then null
                                else least(coalesce(k.rate, w.most) * (1 + growth * passed.s), w.most * headroom)
                           end as rate
                      from irnflow.pace k where k.portal = w.portal and k.gstin = g.gstin) grown
     where c.portal = w.portal and c.gstin = g.gstin and c.filled_at < p_at;

    return query
    select w.portal, g.gstin, w.preference,
           case when own.held_until > p_at then 0 when own.rate is null then 'infinity' else own.tokens end,
           coalesce(own.open_until > p_at, false) or coalesce(whole.open_until > p_at, false)
               or exists (select from irnflow.pause p where p.what = 'portal' and p.key = w.portal),
           coalesce(own.open_until <= p_at, false) or coalesce(whole.open_until <= p_at, false)
      from unnest(p_portals) with ordinality as w (portal, preference), unnest(p_gstins) as g (gstin),
           irnflow.pace own, irnflow.pace whole
     where own.portal = w.portal and own.gstin = g.gstin and whole.portal = w.portal and whole.gstin = '';
end $$;

-- Writes down that calls begin: each costs a token, and the one that probes keeps the others away until it is back.
create function irnflow.pace_spend(
    p_portals text[], p_gstins text[], p_calls int[], p_at timestamptz, p_until timestamptz, p_sends boolean default false)
returns void language sql as $$
    update irnflow.pace c
       set sent_at = case when p_sends then p_at else c.sent_at end,
           tokens = case when c.rate is null then c.tokens else c.tokens - s.calls end, recent = c.recent + s.calls,
           probing = c.probing or coalesce(c.open_until <= p_at, false),
           open_until = case when c.open_until <= p_at then p_until else c.open_until end
      from unnest(p_portals, p_gstins, p_calls) as s (portal, gstin, calls)
     where c.portal = s.portal and (c.gstin = s.gstin or c.gstin = '' and c.open_until <= p_at);
$$;

-- Which of these calls may begin, by their places: the first ones first, within the pace of their GSTINs, and one where
-- it probes. Each costs so many tokens, which are spent.
create function irnflow.pace_take(
    p_portals text[], p_limits float8[], p_of_portals text[], p_of_gstins text[], p_calls int, p_most int,
    p_at timestamptz, p_until timestamptz)
returns bigint[] language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    taken bigint[];
begin
    perform pg_advisory_xact_lock(hashtextextended('irnflow.lease', 0)); -- buckets have one writer at a time
    with ways as materialized (
        select * from irnflow.pace_fill(p_portals, p_limits, (select array_agg(distinct g) from unnest(p_of_gstins) g
                                                             where g is not null), p_at)),
    ranked as (
        select c.place, w.room, w.probe, row_number() over (partition by c.portal, c.gstin order by c.place) as of_gstin,
               row_number() over (partition by c.portal, w.probe order by c.place) as of_portal
          from unnest(p_of_portals, p_of_gstins) with ordinality as c (portal, gstin, place)
          join ways w on w.portal = c.portal and w.gstin = c.gstin
         where not w.broken),
    allowed as (
        select k.place from ranked k
         where (k.of_gstin - 1) * p_calls < floor(k.room) and (not k.probe or k.of_portal = 1)
         order by k.place limit p_most)
    select coalesce(array_agg(a.place), '{}') into taken from allowed a;

    perform irnflow.pace_spend(array_agg(s.portal), array_agg(s.gstin), array_agg(s.n), p_at, p_until)
       from (select p_of_portals[t.place] as portal, p_of_gstins[t.place] as gstin, p_calls * count(*)::int as n
               from unnest(taken) as t (place) group by 1, 2) s
     having count(*) > 0;
    return taken;
end $$;

-- Takes in how calls fared. Kinds: ANSWERED, whatever it said; SLOWER, a 429; TROUBLE, no readable answer or "later".
-- Trouble opens the breaker of its GSTIN, and the portal's when it meets several and nobody is answered.
create function irnflow.pace_report(
    p_portals text[], p_gstins text[], p_kinds text[], p_retry_after_s float8[], p_open_after int, p_at timestamptz)
returns void language plpgsql as $$
declare
    longest constant float8 := 300; -- an open breaker is tried again at least so often
    deaf constant interval := '2 seconds'; -- calls of before a 429 may bring more of them, which say nothing new
begin
    perform from irnflow.pace c where c.portal = any (p_portals) and (c.gstin = any (p_gstins) or c.gstin = '')
     order by c.portal, c.gstin for update;

    with heard as (
        select s.portal, w.gstin, bool_or(s.kind = 'ANSWERED') as answered, bool_or(s.kind = 'SLOWER') as slower,
               count(*) filter (where s.kind = 'TROUBLE') as troubles, max(s.retry_after_s) as retry_after_s,
               array_agg(distinct s.gstin) as who
          from unnest(p_portals, p_gstins, p_kinds, p_retry_after_s) as s (portal, gstin, kind, retry_after_s),
               unnest(array[s.gstin, '']) as w (gstin)
         group by s.portal, w.gstin),
    counted as (
        select h.*, case when h.answered then 0 else c.failures + h.troubles end as failures_now,
               case when h.answered or h.troubles = 0 then '{}'
                    else (select array_agg(distinct f) from unnest(c.failing || h.who) as f) end as failing_now
          from heard h join irnflow.pace c using (portal, gstin)),
    judged as (
        select d.*, not d.answered and d.troubles > 0
                    and (c.probing or c.open_until is null and d.failures_now >= p_open_after
                         and (d.gstin <> '' or cardinality(d.failing_now) > 1)) as opens,
               d.slower and (c.slowed_at is null or c.slowed_at < p_at - deaf) as slows
          from counted d join irnflow.pace c using (portal, gstin))
    update irnflow.pace c
       set failures = j.failures_now,
           failing = case when j.gstin = '' then j.failing_now else '{}' end,
           opened = case when j.answered then 0 when j.opens then c.opened + 1 else c.opened end,
           open_until = case when j.answered then null
                             when j.opens then p_at + least(longest, 5 * 2 ^ least(c.opened, 10)) * interval '1 second'
                             else c.open_until end,
           probing = c.probing and not (j.answered or j.opens),
           rate = case when j.slows and j.gstin <> '' then greatest(coalesce(c.rate, c.recent / 10) / 2, 1.0 / 60)
                       else c.rate end,
           tokens = case when j.slows then least(c.tokens, 0) else c.tokens end,
           slowed_at = case when j.slows then p_at else c.slowed_at end,
           held_until = case when j.gstin <> '' then greatest(c.held_until, p_at + j.retry_after_s * interval '1 second')
                        end
      from judged j
     where c.portal = j.portal and c.gstin = j.gstin;
end $$;

-- Leases READY documents as INTENT: deficit round robin over (GSTIN, batch), within the pace of each GSTIN and what its
-- caller has in flight. A row takes the round after the last that its group had, and none earlier than the one that is
-- on; the lowest rounds go first, so whoever got less in one lease goes first in the next, and idleness earns nothing.
-- Rows that may have arrived somewhere go there; others to the first portal whose breaker is shut and where their GSTIN
-- can log in, of whatever family.
-- Committed before any call: from here on an answer may exist at the portal.
create function irnflow.registration_lease(
    p_at timestamptz, p_lease_until timestamptz, p_most int,
    p_portals text[], p_families text[], p_limits float8[], -- in the order of preference; calls a second, null: unknown
    p_busy_gstins text[], p_busy int[], p_gstin_most int) -- what the caller has in flight of a GSTIN, and may have
returns table (irn text, gstin text, doc_typ text, doc_no text, doc_dt text, portal text, attempt int, send int,
               limited int, payload bytea, valid_on date, turnover_crore numeric)
language plpgsql
set plan_cache_mode = force_generic_plan -- one plan, row by row through the indexes: one made while tables are empty
set enable_seqscan = off -- would read them whole, and be kept while they grow
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    gstins text[];
    batches bigint[];
    on_round bigint;
    leased_irns text[];
    leased_portals text[];
begin
    perform pg_advisory_xact_lock(hashtextextended('irnflow.lease', 0)); -- buckets and rounds have one writer at a time

    with recursive waiting (gstin, batch_id) as ( -- each group with READY rows, by skipping through the index
        (select r.gstin, r.batch_id from irnflow.registration r where r.state = 'READY'
          order by r.gstin, r.batch_id limit 1)
        union all
        select n.gstin, n.batch_id from waiting w,
               lateral (select r.gstin, r.batch_id from irnflow.registration r
                         where r.state = 'READY' and (r.gstin, r.batch_id) > (w.gstin, w.batch_id)
                         order by r.gstin, r.batch_id limit 1) n)
    select array_agg(w.gstin), array_agg(w.batch_id) into gstins, batches from waiting w
     where exists (select from irnflow.registration r where r.state = 'READY' and r.gstin = w.gstin
                      and r.batch_id = w.batch_id and r.next_at <= p_at)
       and not exists (select from irnflow.gstin g where g.gstin = w.gstin and g.stopped is not null)
       and not exists (select from irnflow.pause p where p.what = 'gstin' and p.key = w.gstin)
       and not exists (select from irnflow.pause p where p.what = 'batch' and p.key = w.batch_id::text);
    if gstins is null then
        return;
    end if;
    on_round := coalesce((select t.round from irnflow.turn t where t.gstin = '' and t.batch_id = 0), 0);

    with groups as (
        select g.gstin, g.batch_id, greatest(t.round, on_round) as round
          from unnest(gstins, batches) as g (gstin, batch_id)
          left join irnflow.turn t on t.gstin = g.gstin and t.batch_id = g.batch_id),
    way as materialized (
        select f.* from irnflow.pace_fill(p_portals, p_limits, (select array_agg(distinct g) from unnest(gstins) as g), p_at) f
          left join irnflow.gstin g on g.gstin = f.gstin
          left join irnflow.credentials k on k.gstin = f.gstin and k.family = (p_families)[f.preference] and k.stopped is null
         where not f.broken and (g.gstin is null or k.gstin is not null)), -- of a GSTIN of nobody, whoever calls is told
    choice as (
        select w.gstin, array_agg(w.portal) as usable, (array_agg(w.portal order by w.preference))[1] as first
          from way w group by w.gstin),
    candidates as (
        select r.irn, r.gstin, r.batch_id, case when r.bound then r.portal else c.first end as portal,
               g.round + row_number() over (partition by r.gstin, r.batch_id order by r.next_at) as round
          from groups g
          join choice c on c.gstin = g.gstin,
               lateral (select r.irn, r.gstin, r.batch_id, r.bound, r.portal, r.next_at from irnflow.registration r
                         where r.state = 'READY' and r.gstin = g.gstin and r.batch_id = g.batch_id and r.next_at <= p_at
                           and (not r.bound or r.portal = any (c.usable))
                         order by r.next_at limit greatest(1, p_most / cardinality(gstins) + 1)) r),
    acting as ( -- actions of IRNs take turns with the batches: what falls to one that waits is left to it
        select null::text as irn, w.gstin, 0::bigint as batch_id, w.portal,
               greatest(t.round, on_round) + row_number() over (partition by w.portal, w.gstin) as round
          from irnflow.action_due(p_at, p_portals, p_families) d
          join way w on w.portal = d.portal and w.gstin = d.gstin and w.room < 'infinity'
          left join irnflow.turn t on t.gstin = w.gstin and t.batch_id = 0),
    ranked as (
        select k.*, row_number() over (partition by k.portal, k.gstin order by k.round, k.batch_id) as of_gstin,
               row_number() over (partition by k.portal order by k.round, k.batch_id) as of_portal
          from (select * from candidates union all select * from acting) k),
    allowed as (
        select k.irn, k.gstin, k.batch_id, k.portal, k.round
          from ranked k
          join way w on w.portal = k.portal and w.gstin = k.gstin
          left join unnest(p_busy_gstins, p_busy) as b (gstin, calls) on b.gstin = k.gstin
         where k.irn is not null and k.of_gstin <= w.room and k.of_gstin <= p_gstin_most - coalesce(b.calls, 0)
           and (not w.probe or k.of_portal = 1)
         order by k.round limit p_most),
    locked as (
        select r.irn, a.gstin, a.batch_id, a.portal, a.round from allowed a
          join irnflow.registration r on r.irn = a.irn and r.state = 'READY'
           for update of r skip locked),
    turned as (
        insert into irnflow.turn as t (gstin, batch_id, round)
        select l.gstin, l.batch_id, max(l.round) from locked l group by l.gstin, l.batch_id
        union all
        select '', 0, min(l.round) - 1 from locked l having count(*) > 0
        on conflict (gstin, batch_id) do update set round = excluded.round)
    select array_agg(l.irn), array_agg(l.portal) into leased_irns, leased_portals from locked l;
    if leased_irns is null then
        return;
    end if;
    delete from irnflow.turn t where t.gstin <> '' and t.round <= on_round; -- as if they had never been served

    perform irnflow.pace_spend(array_agg(s.portal), array_agg(s.gstin), array_agg(s.calls), p_at, p_lease_until, true)
       from (select l.portal, r.gstin, count(*)::int as calls
               from unnest(leased_irns, leased_portals) as l (irn, portal)
               join irnflow.registration r on r.irn = l.irn group by l.portal, r.gstin) s;

    return query
    with leased as (
        update irnflow.registration r
           set state = 'INTENT', portal = l.portal, sends = r.sends + 1, sent_at = p_at, lease_until = p_lease_until,
               updated_at = p_at
          from unnest(leased_irns, leased_portals) as l (irn, portal) where r.irn = l.irn
        returning r.*),
    ledger as (
        insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, at)
        select l.batch_id, l.irn, l.attempt, l.sends, l.digest, 'send', 'INTENT', l.portal, p_at from leased l)
    select l.irn, l.gstin, l.doc_typ, l.doc_no, l.doc_dt, l.portal, l.attempt, l.sends,
           case when l.sends = 1 then 0 else irnflow.sent_limited(l.irn, l.attempt) end, q.payload, q.valid_on,
           g.turnover_crore
      from leased l
      join irnflow.registration_request q on q.batch_id = l.batch_id and q.transaction_id = l.transaction_id
      left join irnflow.gstin g on g.gstin = l.gstin;
end $$;

-- Leases UNKNOWN documents whose look-up is due, within the same pace: a look-up is two calls. What must wait for the
-- pace or a breaker is due again a little later, so that it stands in nobody's way.
create function irnflow.registration_due(
    p_at timestamptz, p_lease_until timestamptz, p_most int, p_portals text[], p_limits float8[])
returns table (irn text, gstin text, doc_typ text, doc_no text, doc_dt text, portal text, attempt int, send int,
               sent_at timestamptz, not_there int, duplicate text, refused text, payload bytea)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    later constant interval := '10 seconds';
    calls constant int := 2;
    due_irns text[];
    due_gstins text[];
    due_portals text[];
    leased_irns text[];
begin
    select array_agg(d.irn), array_agg(d.gstin), array_agg(d.portal) into due_irns, due_gstins, due_portals
      from (select r.irn, r.gstin, r.portal from irnflow.registration r
             where r.state = 'UNKNOWN' and r.next_at <= p_at order by r.next_at limit p_most for update skip locked) d;
    if due_irns is null then
        return;
    end if;
    select coalesce(array_agg(due_irns[t.place]), '{}') into leased_irns
      from unnest(irnflow.pace_take(p_portals, p_limits, due_portals, due_gstins, calls, p_most, p_at, p_lease_until))
           as t (place);

    update irnflow.registration r set next_at = p_at + later
     where r.irn = any (due_irns) and not r.irn = any (leased_irns);

    return query
    with leased as (
        update irnflow.registration r set next_at = p_lease_until, lease_until = p_lease_until
         where r.irn = any (leased_irns) returning r.*)
    select l.irn, l.gstin, l.doc_typ, l.doc_no, l.doc_dt, l.portal, l.attempt, l.sends, l.sent_at, l.not_there::int,
           irnflow.said_duplicate(l.irn, l.sends), irnflow.refused_undecided(l.irn, l.sends), q.payload
      from leased l
      join irnflow.registration_request q on q.batch_id = l.batch_id and q.transaction_id = l.transaction_id;
end $$;

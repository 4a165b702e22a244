-- The life of an IRN after its registration: cancelled, and its e-way bill made and cancelled. Each is an action that
-- is on record before the portal is asked, as a document is before it is registered (0005):
--   WAITING  for its first half, the cancellation of the e-way bill
--   READY    to be asked for, from next_at on
--   INTENT   committed before the call; after lease_until the answer counts as lost
--   UNKNOWN  the answer is lost: looked up from next_at on, before anything is asked again
--   DONE     the portal has done it, or had done it before
--   FAILED   the portal refuses it, or it is too late: a person may ask anew, which is another action

create type irnflow.action_kind as enum ('CANCEL', 'EWAY_BILL', 'EWAY_BILL_CANCEL', 'EWAY_BILL_FETCH');
create type irnflow.action_state as enum ('WAITING', 'READY', 'INTENT', 'UNKNOWN', 'DONE', 'FAILED');

create table irnflow.action (
    action_id   bigint generated always as identity primary key,
    account_id  bigint not null references irnflow.account,
    irn         text not null,
    kind        irnflow.action_kind not null,
    state       irnflow.action_state not null,
    request     jsonb not null, -- what is asked for, in the API's words
    ewb_no      text, -- which e-way bill is cancelled, or was made
    first_half  bigint references irnflow.action, -- must be DONE before this one is asked for
    asked_by    text not null, -- account, or 'invoice': its own EwbDtls
    asked_at    timestamptz not null,
    sends       int not null default 0, -- calls begun
    sent_at     timestamptz, -- of the last call
    next_at     timestamptz not null,
    lease_until timestamptz,
    not_done    smallint not null default 0, -- look-ups in a row that said so
    cause       text not null default '', -- of a failure: stable code
    codes       text not null default '', -- the portal's, with commas
    says        text not null default '',
    fix         text not null default '',
    answer      jsonb, -- what the portal gave
    telling     smallint not null default 0, -- counts what is told of the actions of this IRN: events' n
    tell_at     timestamptz, -- there is something to tell from then on
    tells       int not null default 0, -- how often this telling was said
    told_at     timestamptz,
    seen_at     timestamptz, -- its effect has been seen: it is told no more
    updated_at  timestamptz not null
);
-- One at a time of a kind: the same request again is the same action.
create unique index action_once on irnflow.action (irn, kind) where state in ('WAITING', 'READY', 'INTENT', 'UNKNOWN');
create index action_irn on irnflow.action (irn, action_id);
create index action_newest on irnflow.action (account_id, action_id);
create index action_second_half on irnflow.action (first_half) where state = 'WAITING';
create index action_ready on irnflow.action (next_at) where state = 'READY';
create index action_intent on irnflow.action (lease_until) where state = 'INTENT';
create index action_unknown on irnflow.action (next_at) where state = 'UNKNOWN';
create index action_tell on irnflow.action (tell_at) where tell_at is not null;
create index action_unseen on irnflow.action (told_at) where told_at is not null and seen_at is null;

create table irnflow.eway_bill (
    ewb_no       text primary key,
    irn          text not null,
    made_at      text, -- yyyy-mm-dd hh:mm:ss, IST, as the portal says; null: it didn't say
    valid_till   text, -- null: Part A only, the goods may not move yet
    distance     text, -- what the portal says of it (EWBPPD), where 0 was given
    cancelled_at text -- as the portal says, or when we found out; null: active
);
create index eway_bill_irn on irnflow.eway_bill (irn);

-- What the portal's master says of a GSTIN.
create table irnflow.gstin_detail (
    gstin       text primary key,
    details     jsonb, -- the portal's words; null: it has never given any
    fetched_at  timestamptz,
    says        text not null default '', -- why the last question got none
    asked_at    timestamptz, -- when the last question was answered, either way
    wanted_at   timestamptz, -- somebody wants it asked again; null: nobody
    sync        boolean not null default false, -- and the common portal asked first
    wanted_by   bigint references irnflow.account, -- with whose login
    lease_until timestamptz
);
create index gstin_detail_wanted on irnflow.gstin_detail (wanted_at) where wanted_at is not null;

-- A time of the portal, which it gives in IST; null where it isn't one.
create function irnflow.ist(p_text text) returns timestamptz language sql immutable as $$
    select case when p_text ~ '^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$'
                then p_text::timestamp at time zone interval '+05:30' end;
$$;

-- A time as the portal gives it.
create function irnflow.ist_text(p_at timestamptz) returns text language sql immutable as $$
    select to_char(p_at at time zone interval '+05:30', 'YYYY-MM-DD HH24:MI:SS');
$$;

-- The e-way bill of an IRN that goods may travel with.
create function irnflow.active_bill(p_irn text) returns irnflow.eway_bill stable language sql as $$
    select b from irnflow.eway_bill b where b.irn = p_irn and b.cancelled_at is null order by b.made_at desc limit 1;
$$;

-- The action of an IRN that is under way, of this kind.
create function irnflow.action_under_way(p_irn text, p_kind irnflow.action_kind) returns irnflow.action
stable language sql as $$
    select a from irnflow.action a
     where a.irn = p_irn and a.kind = p_kind and a.state in ('WAITING', 'READY', 'INTENT', 'UNKNOWN');
$$;

create function irnflow.action_begin(
    r irnflow.registration, p_kind irnflow.action_kind, p_request jsonb, p_ewb_no text, p_first_half bigint,
    p_by text, p_at timestamptz)
returns bigint language sql as $$
    insert into irnflow.action
           (account_id, irn, kind, state, request, ewb_no, first_half, asked_by, asked_at, next_at, updated_at)
    values (r.account_id, r.irn, p_kind, case when p_first_half is null then 'READY' else 'WAITING' end::irnflow.action_state,
            p_request, p_ewb_no, p_first_half, p_by, p_at, p_at, p_at)
    returning action_id;
$$;

-- Asking -------------------------------------------------------------------------------------------------------------
-- Each of the four takes an IRN of an account and gives an outcome, the action, and a fact for the sentence that
-- tells a refusal. Outcomes:
--   ACCEPTED        the action is new
--   REPEATED        the same was asked for before: that action; of a cancellation that is done the books are told again
--   UNKNOWN_IRN     the account has no such IRN
--   NOT_REGISTERED  the portal hasn't registered it, or not yet (fact: the document's state)
--   CANCELLED       it is cancelled (fact: the state's since, where it is known)
--   OTHER_REQUEST   the same kind is under way, or done, with another request (fact: the action)
--   TOO_LATE        the portal's time for it is over (fact: since when)
--   BILL_ACTIVE     2230: its e-way bill is active (fact: the bill)
--   BILL_UNDER_WAY  its e-way bill is being made
--   NO_BILL         it has no active e-way bill
--   NO_GOODS        4009, 4010: no e-way bill for notes, nor for services only

-- Cancels an e-way bill.
create function irnflow.ask_eway_bill_cancel(
    p_account_id bigint, p_irn text, p_request jsonb, p_by text, p_at timestamptz, p_window interval,
    out outcome text, out action_id bigint, out fact text)
language plpgsql as $$
declare
    r irnflow.registration;
    bill irnflow.eway_bill;
    known irnflow.action;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if not found then
        outcome := 'UNKNOWN_IRN';
        return;
    end if;
    bill := irnflow.active_bill(p_irn);
    if bill.ewb_no is null then
        select * into known from irnflow.action a
         where a.irn = p_irn and a.kind = 'EWAY_BILL_CANCEL' and a.state = 'DONE' order by a.action_id desc limit 1;
        outcome := case when known.request = p_request then 'REPEATED' else 'NO_BILL' end;
        action_id := known.action_id;
        return;
    end if;
    known := irnflow.action_under_way(p_irn, 'EWAY_BILL_CANCEL');
    if known.action_id is not null then
        outcome := case when known.request = p_request then 'REPEATED' else 'OTHER_REQUEST' end;
        action_id := known.action_id;
        fact := known.action_id;
        return;
    end if;
    if p_at > irnflow.ist(bill.made_at) + p_window then
        outcome := 'TOO_LATE';
        fact := irnflow.ist_text(irnflow.ist(bill.made_at) + p_window);
        return;
    end if;
    outcome := 'ACCEPTED';
    action_id := irnflow.action_begin(r, 'EWAY_BILL_CANCEL', p_request, bill.ewb_no, null, p_by, p_at);
end $$;

-- Cancels an IRN; with p_bill_request its e-way bill first, when it has one.
create function irnflow.ask_cancel(
    p_account_id bigint, p_irn text, p_request jsonb, p_bill_request jsonb, p_by text, p_at timestamptz,
    p_window interval, p_bill_window interval, out outcome text, out action_id bigint, out fact text)
language plpgsql as $$
declare
    r irnflow.registration;
    bill irnflow.eway_bill;
    known irnflow.action;
    half record;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if not found then
        outcome := 'UNKNOWN_IRN';
        return;
    end if;
    select * into known from irnflow.action a
     where a.irn = p_irn and a.kind = 'CANCEL' and a.state <> 'FAILED' order by a.action_id desc limit 1;
    if found then
        outcome := case when known.request = p_request then 'REPEATED' else 'OTHER_REQUEST' end;
        action_id := known.action_id;
        fact := known.action_id;
        if known.state = 'DONE' and outcome = 'REPEATED' then
            perform irnflow.action_tell(known, p_at, p_at);
        end if;
        return;
    end if;
    if r.state <> 'ACCEPTED' then
        outcome := case when r.state = 'CANCELLED' then 'CANCELLED' else 'NOT_REGISTERED' end;
        fact := r.state;
        return;
    end if;
    if p_at > irnflow.ist(r.ack_dt) + p_window then -- 2270
        outcome := 'TOO_LATE';
        fact := irnflow.ist_text(irnflow.ist(r.ack_dt) + p_window);
        return;
    end if;
    if (irnflow.action_under_way(p_irn, 'EWAY_BILL')).action_id is not null then
        outcome := 'BILL_UNDER_WAY';
        return;
    end if;
    bill := irnflow.active_bill(p_irn);
    if bill.ewb_no is not null then -- 2230
        known := irnflow.action_under_way(p_irn, 'EWAY_BILL_CANCEL');
        if known.action_id is null then
            if p_bill_request is null then
                outcome := 'BILL_ACTIVE';
                fact := bill.ewb_no;
                return;
            end if;
            half := irnflow.ask_eway_bill_cancel(p_account_id, p_irn, p_bill_request, p_by, p_at, p_bill_window);
            if half.outcome <> 'ACCEPTED' then
                outcome := half.outcome;
                fact := half.fact;
                return;
            end if;
            known.action_id := half.action_id;
        end if;
    end if;
    outcome := 'ACCEPTED';
    action_id := irnflow.action_begin(r, 'CANCEL', p_request, null, known.action_id, p_by, p_at);
end $$;

-- Makes the e-way bill of an IRN.
create function irnflow.ask_eway_bill(
    p_account_id bigint, p_irn text, p_request jsonb, p_by text, p_at timestamptz,
    out outcome text, out action_id bigint, out fact text)
language plpgsql as $$
declare
    r irnflow.registration;
    bill irnflow.eway_bill;
    known irnflow.action;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if not found then
        outcome := 'UNKNOWN_IRN';
        return;
    end if;
    known := irnflow.action_under_way(p_irn, 'EWAY_BILL');
    bill := irnflow.active_bill(p_irn);
    if known.action_id is null and bill.ewb_no is not null then
        select * into known from irnflow.action a where a.irn = p_irn and a.kind = 'EWAY_BILL' and a.ewb_no = bill.ewb_no;
    end if;
    if known.action_id is not null or bill.ewb_no is not null then
        outcome := case when known.request = p_request then 'REPEATED'
                        when bill.ewb_no is not null then 'BILL_ACTIVE' else 'OTHER_REQUEST' end;
        action_id := known.action_id;
        fact := coalesce(bill.ewb_no, known.action_id::text);
        return;
    end if;
    if r.state <> 'ACCEPTED' then
        outcome := case when r.state = 'CANCELLED' then 'CANCELLED' else 'NOT_REGISTERED' end;
        fact := r.state;
        return;
    end if;
    known := irnflow.action_under_way(p_irn, 'CANCEL');
    if known.action_id is not null then
        outcome := 'OTHER_REQUEST';
        fact := known.action_id;
        return;
    end if;
    if r.doc_typ <> 'INV' or not exists (
            select from irnflow.registration_request q
             where q.batch_id = r.batch_id and q.transaction_id = r.transaction_id
               and convert_from(q.payload, 'UTF8')::jsonb -> 'ItemList' @> '[{"IsServc": "N"}]') then
        outcome := 'NO_GOODS';
        return;
    end if;
    outcome := 'ACCEPTED';
    action_id := irnflow.action_begin(r, 'EWAY_BILL', p_request, null, null, p_by, p_at);
end $$;

-- Asks the portal which e-way bill an IRN has: somebody may have made or cancelled it elsewhere.
create function irnflow.ask_eway_bill_fetch(
    p_account_id bigint, p_irn text, p_by text, p_at timestamptz, out outcome text, out action_id bigint, out fact text)
language plpgsql as $$
declare
    r irnflow.registration;
    known irnflow.action;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if not found then
        outcome := 'UNKNOWN_IRN';
        return;
    end if;
    known := irnflow.action_under_way(p_irn, 'EWAY_BILL_FETCH');
    if known.action_id is not null then
        outcome := 'REPEATED';
        action_id := known.action_id;
        return;
    end if;
    if r.state not in ('ACCEPTED', 'CANCELLED') then
        outcome := 'NOT_REGISTERED';
        fact := r.state;
        return;
    end if;
    outcome := 'ACCEPTED';
    action_id := irnflow.action_begin(r, 'EWAY_BILL_FETCH', '{}', null, null, p_by, p_at);
end $$;

-- Asking the portal --------------------------------------------------------------------------------------------------

-- Has an action told, from p_tell_at on, with the next number of its IRN.
create function irnflow.action_tell(a irnflow.action, p_tell_at timestamptz, p_at timestamptz) returns void language sql as $$
    update irnflow.action
       set telling = (select max(o.telling) + 1 from irnflow.action o where o.irn = a.irn),
           tell_at = p_tell_at, tells = 0, told_at = null, seen_at = null, updated_at = p_at
     where action_id = a.action_id;
$$;

-- Actions that are due, one of each GSTIN in turn: to be asked for, unless their GSTIN is paused, or to be looked up.
-- Nothing of a GSTIN that is stopped, or whose login is, there.
create function irnflow.action_due(p_at timestamptz, p_portals text[], p_families text[])
returns table (action_id bigint, gstin text, portal text, turn bigint) stable language sql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    with due as (
        select a.action_id, a.irn, a.next_at, true as is_send from irnflow.action a
         where a.state = 'READY' and a.next_at <= p_at
        union all
        select a.action_id, a.irn, a.next_at, false from irnflow.action a where a.state = 'UNKNOWN' and a.next_at <= p_at)
    select d.action_id, r.gstin, r.portal, row_number() over (partition by r.gstin order by d.next_at) as turn
      from due d join irnflow.registration r on r.irn = d.irn
     where not exists (select from irnflow.gstin g where g.gstin = r.gstin and g.stopped is not null)
       and not exists (select from irnflow.credentials k where k.gstin = r.gstin and k.stopped is not null
                          and k.family = (p_families)[array_position(p_portals, r.portal)])
       and not (d.is_send and exists (select from irnflow.pause p where p.what = 'gstin' and p.key = r.gstin))
     order by turn, d.next_at limit 1000;
$$;

-- Leases what is to be done: `what` is 'send' for READY actions, which become INTENT, and 'lookup' for UNKNOWN ones.
-- Calls whose lease ran out become UNKNOWN first. Within the pace of each GSTIN (0008), where its actions take turns with
-- the batches of its documents, and what its caller has in flight.
create function irnflow.action_lease(
    p_at timestamptz, p_lease_until timestamptz, p_look_at timestamptz, p_most int, p_portals text[], p_families text[],
    p_limits float8[], p_busy_gstins text[], p_busy int[], p_gstin_most int) -- what the caller has in flight of a GSTIN, and may have
returns table (what text, action_id bigint, kind irnflow.action_kind, irn text, gstin text, portal text, request text,
               ewb_no text, began text, send int, sent_at timestamptz, not_done int)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    lost irnflow.action;
    due_ids bigint[];
    due_gstins text[];
    due_portals text[];
    chosen bigint[];
    on_round bigint;
begin
    for lost in select * from irnflow.action a where a.state = 'INTENT' and a.lease_until < p_at for update skip locked
    loop
        update irnflow.action a set state = 'UNKNOWN', next_at = p_look_at, lease_until = null, not_done = 0,
               says = 'no answer was recorded in time'
         where a.action_id = lost.action_id;
        perform irnflow.action_on_record(lost.action_id, 'send', 'UNKNOWN', '', 'no answer was recorded in time', p_at);
        perform irnflow.action_tell(lost, p_at, p_at);
    end loop;
    if not exists (select from irnflow.action_due(p_at, p_portals, p_families)) then
        return;
    end if;

    perform pg_advisory_xact_lock(hashtextextended('irnflow.lease', 0)); -- what is due now, nobody else leases
    select array_agg(d.action_id order by d.turn), array_agg(d.gstin order by d.turn), array_agg(d.portal order by d.turn)
      into due_ids, due_gstins, due_portals
      from irnflow.action_due(p_at, p_portals, p_families) d
      left join unnest(p_busy_gstins, p_busy) as b (gstin, calls) on b.gstin = d.gstin
     where d.turn <= p_gstin_most - coalesce(b.calls, 0);
    select array_agg(due_ids[t.place]) into chosen
      from unnest(irnflow.pace_take(p_portals, p_limits, due_portals, due_gstins, 1, p_most, p_at, p_lease_until))
           as t (place);

    on_round := coalesce((select t.round from irnflow.turn t where t.gstin = '' and t.batch_id = 0), 0);
    with served as (
        select r.gstin, greatest(t.round, on_round) as round, count(*) as n
          from irnflow.action a join irnflow.registration r on r.irn = a.irn
          left join irnflow.turn t on t.gstin = r.gstin and t.batch_id = 0
         where a.action_id = any (chosen) group by r.gstin, t.round)
    insert into irnflow.turn as t (gstin, batch_id, round)
    select s.gstin, 0, s.round + s.n from served s
    union all
    select '', 0, min(s.round) from served s having count(*) > 0
    on conflict (gstin, batch_id) do update set round = excluded.round;

    return query
    with locked as (
        select a.* from irnflow.action a
         where a.action_id = any (chosen) and a.state in ('READY', 'UNKNOWN') and a.next_at <= p_at for update skip locked),
    leased as (
        update irnflow.action a
           set state = case when l.state = 'READY' then 'INTENT' else l.state end,
               sends = a.sends + (l.state = 'READY')::int,
               sent_at = case when l.state = 'READY' then p_at else a.sent_at end,
               lease_until = p_lease_until, next_at = p_lease_until, updated_at = p_at
          from locked l where a.action_id = l.action_id
        returning case when l.state = 'READY' then 'send' else 'lookup' end as leased_for, a.*),
    ledger as (
        insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, at)
        select r.batch_id, l.irn, r.attempt, l.sends, r.digest, lower(l.kind::text), 'INTENT', r.portal, p_at
          from leased l join irnflow.registration r on r.irn = l.irn where l.leased_for = 'send')
    select l.leased_for, l.action_id, l.kind, l.irn, r.gstin, r.portal, l.request::text, l.ewb_no,
           case l.kind when 'CANCEL' then r.ack_dt
                       when 'EWAY_BILL_CANCEL' then (select b.made_at from irnflow.eway_bill b where b.ewb_no = l.ewb_no) end,
           l.sends, l.sent_at, l.not_done::int
      from leased l join irnflow.registration r on r.irn = l.irn;
end $$;

-- One line in the ledger of all that is said to the portal.
create function irnflow.action_on_record(
    p_action_id bigint, p_what text, p_outcome text, p_codes text, p_says text, p_at timestamptz) returns void
language sql as $$
    insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, codes, says, at)
    select r.batch_id, a.irn, r.attempt, a.sends, r.digest,
           case p_what when 'send' then lower(a.kind::text) else lower(a.kind::text) || ' ' || p_what end,
           p_outcome, r.portal, p_codes, p_says, p_at
      from irnflow.action a join irnflow.registration r on r.irn = a.irn where a.action_id = p_action_id;
$$;

-- What is told of actions: a row for each request that shares the document.
create view irnflow.action_telling as
select a.action_id, a.kind, a.state, a.ewb_no, a.cause, a.codes, a.says, a.fix, a.answer, a.request, a.telling, a.tell_at,
       b.made_at, b.valid_till, b.distance,
       q.batch_id, q.transaction_id, q.batch_no, q.account_id, q.books, q.read_digest,
       r.irn, r.ack_no, r.ack_dt, r.signed_qr, r.verified
  from irnflow.action a
  join irnflow.registration r on r.irn = a.irn
  join irnflow.registration_request q on q.irn = r.irn and q.digest = r.digest and q.verdict is null
  left join irnflow.eway_bill b on b.ewb_no = a.ewb_no;

-- Keeps an e-way bill that the portal has.
create function irnflow.eway_bill_keep(p_irn text, p_bill jsonb) returns void language sql as $$
    insert into irnflow.eway_bill as b (ewb_no, irn, made_at, valid_till, distance)
    values (p_bill ->> 'ewb_no', p_irn, p_bill ->> 'made_at', p_bill ->> 'valid_till', p_bill ->> 'distance')
    on conflict (ewb_no) do update
       set made_at = coalesce(excluded.made_at, b.made_at), valid_till = coalesce(excluded.valid_till, b.valid_till),
           distance = coalesce(excluded.distance, b.distance);
$$;

-- An e-way bill is cancelled: when the portal said so, or now, when we found out.
create function irnflow.eway_bill_end(p_ewb_no text, p_cancelled_at text, p_at timestamptz) returns void language sql as $$
    update irnflow.eway_bill
       set cancelled_at = coalesce(p_cancelled_at, irnflow.ist_text(p_at))
     where ewb_no = p_ewb_no and cancelled_at is null;
$$;

-- Settles calls and look-ups. A DONE wins over any state; everything else counts only for the send it is about.
-- p_outcomes: DONE, FAILED, NOT_DONE (READY again at next_at), UNKNOWN (the next look-up at next_at).
-- Gives the actions to be told, leased to the caller until p_tell_until.
create function irnflow.action_settle(
    p_action_ids bigint[], p_sends int[], p_whats text[], p_outcomes text[], p_recorded text[], p_codes text[],
    p_causes text[], p_says text[], p_fixes text[], p_answers jsonb[], p_not_dones int[], p_next_ats timestamptz[],
    p_at timestamptz, p_tell_until timestamptz)
returns setof irnflow.action_telling language plpgsql as $$
declare
    x record;
    a irnflow.action;
    second irnflow.action;
    told bigint[] := '{}';
begin
    perform from irnflow.registration r -- in IRN order, so that two settlers never wait for each other in a ring
      where r.irn in (select o.irn from irnflow.action o where o.action_id = any (p_action_ids)) order by r.irn for update;

    for x in select * from unnest(p_action_ids, p_sends, p_whats, p_outcomes, p_recorded, p_codes, p_causes, p_says,
                                  p_fixes, p_answers, p_not_dones, p_next_ats)
                 as x (action_id, send, what, outcome, recorded, codes, cause, says, fix, answer, not_done, next_at)
    loop
        perform irnflow.action_on_record(x.action_id, x.what, x.recorded, x.codes, x.says, p_at);
        select * into a from irnflow.action o where o.action_id = x.action_id for update;
        if a.state = 'DONE' or x.outcome <> 'DONE' and (a.sends <> x.send or a.state not in ('INTENT', 'UNKNOWN')) then
            continue;
        end if;
        update irnflow.action o
           set state = case x.outcome when 'NOT_DONE' then 'READY' else x.outcome end::irnflow.action_state,
               codes = x.codes, cause = x.cause, says = x.says, fix = x.fix, answer = coalesce(x.answer, o.answer),
               ewb_no = coalesce(x.answer ->> 'ewb_no', o.ewb_no), not_done = x.not_done, next_at = x.next_at,
               lease_until = null, updated_at = p_at
         where o.action_id = x.action_id
        returning * into a;
        if x.outcome = 'DONE' then
            perform irnflow.action_takes_effect(a, p_at);
        end if;
        for second in select * from irnflow.action o where o.first_half = a.action_id and o.state = 'WAITING' for update
        loop
            if x.outcome = 'DONE' then
                update irnflow.action o set state = 'READY', next_at = p_at, updated_at = p_at
                 where o.action_id = second.action_id;
            elsif x.outcome = 'FAILED' then
                update irnflow.action o set state = 'FAILED', cause = 'lifecycle.first_half', updated_at = p_at,
                       says = 'The e-way bill could not be cancelled, so the IRN was left as it is.', fix = x.fix
                 where o.action_id = second.action_id;
                perform irnflow.action_tell(second, p_tell_until, p_at);
                told := told || second.action_id;
            end if;
        end loop;
        if x.outcome in ('DONE', 'FAILED') or x.outcome = 'UNKNOWN' and x.what = 'send' then
            perform irnflow.action_tell(a, p_tell_until, p_at);
            told := told || a.action_id;
        end if;
    end loop;

    return query select * from irnflow.action_telling t where t.action_id = any (told);
end $$;

-- What a DONE changes.
create function irnflow.action_takes_effect(a irnflow.action, p_at timestamptz) returns void language plpgsql as $$
begin
    case a.kind
        when 'CANCEL' then
            update irnflow.registration set state = 'CANCELLED', updated_at = p_at where irn = a.irn and state = 'ACCEPTED';
        when 'EWAY_BILL' then
            perform irnflow.eway_bill_keep(a.irn, a.answer);
        when 'EWAY_BILL_CANCEL' then
            perform irnflow.eway_bill_end(a.ewb_no, a.answer ->> 'cancelled_at', p_at);
        when 'EWAY_BILL_FETCH' then
            if a.ewb_no is not null then
                perform irnflow.eway_bill_keep(a.irn, a.answer);
            end if;
            if a.answer ->> 'status' = 'CNL' then
                perform irnflow.eway_bill_end(a.ewb_no, null, p_at);
            end if;
    end case;
end $$;

-- The e-way bill that an invoice asked for in its own EwbDtls, by what the answer to its registration said of it:
-- DONE with the bill, FAILED with the portal's words, UNKNOWN when the answer was lost, to be looked up at p_look_at.
create function irnflow.eway_bill_with_invoice(p_irn text, p_said jsonb, p_look_at timestamptz, p_at timestamptz)
returns void language plpgsql as $$
declare
    r irnflow.registration;
    a irnflow.action;
begin
    select * into r from irnflow.registration where irn = p_irn;
    if exists (select from irnflow.action o where o.irn = p_irn and o.kind = 'EWAY_BILL') then
        return; -- a second answer to the same registration
    end if;
    insert into irnflow.action
           (account_id, irn, kind, state, request, ewb_no, asked_by, asked_at, sent_at, sends, next_at, codes, cause,
            says, answer, updated_at)
    values (r.account_id, p_irn, 'EWAY_BILL', (p_said ->> 'state')::irnflow.action_state, p_said -> 'request',
            p_said -> 'bill' ->> 'ewb_no', 'invoice', p_at, r.sent_at, 1, p_look_at, coalesce(p_said ->> 'codes', ''),
            coalesce(p_said ->> 'cause', ''), coalesce(p_said ->> 'says', ''), p_said -> 'bill', p_at)
    returning * into a;
    if a.state = 'DONE' then
        perform irnflow.action_takes_effect(a, p_at);
    end if;
    perform irnflow.action_tell(a, p_at, p_at);
end $$;

-- Telling ------------------------------------------------------------------------------------------------------------

-- Whether what was told of an action has come to be seen: of a cancellation, that the books were told.
create function irnflow.action_seen(a irnflow.action) returns boolean stable language sql as $$
    select not exists (
        select from irnflow.action_telling t
         where t.action_id = a.action_id and not exists (
            select from irnflow.event e
             where e.batch_id = t.batch_id and e.transaction_id = t.transaction_id and e.n = a.telling
               and e.status = case when a.kind = 'CANCEL' and a.state = 'DONE' then 'CANCELLED'
                                   else 'GENERATION_SUCCESS' end::irnflow.transaction_state));
$$;

-- Leases what is to be told, and again what was told more than p_quiet ago and hasn't been seen, less and less often.
create function irnflow.action_untold(p_at timestamptz, p_tell_until timestamptz, p_quiet interval, p_most int)
returns setof irnflow.action_telling language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    a irnflow.action;
    chosen bigint[];
begin
    for a in select * from irnflow.action o
              where o.told_at <= p_at - p_quiet and o.seen_at is null and o.tell_at is null
                and o.told_at <= p_at - p_quiet * power(2, least(o.tells - 1, 7))
              order by o.told_at limit p_most for update skip locked
    loop
        update irnflow.action o
           set seen_at = case when irnflow.action_seen(a) then p_at end,
               tell_at = case when irnflow.action_seen(a) then null else p_at end
         where o.action_id = a.action_id;
    end loop;

    with due as (
        select o.action_id from irnflow.action o where o.tell_at <= p_at order by o.tell_at limit p_most
           for update skip locked),
    leased as (
        update irnflow.action o set tell_at = p_tell_until from due where o.action_id = due.action_id returning o.action_id)
    select array_agg(leased.action_id) into chosen from leased;
    return query select * from irnflow.action_telling t where t.action_id = any (chosen);
end $$;

-- Marks tellings said, unless something newer is to be told meanwhile.
create function irnflow.action_told(p_action_ids bigint[], p_tellings smallint[], p_tell_ats timestamptz[], p_at timestamptz)
returns void language sql as $$
    update irnflow.action a
       set told_at = p_at, tells = tells + 1, tell_at = case when a.tell_at = t.tell_at then null else a.tell_at end
      from (select distinct * from unnest(p_action_ids, p_tellings, p_tell_ats) as t (action_id, telling, tell_at)) t
     where a.action_id = t.action_id and a.telling = t.telling;
$$;

-- GSTINs -------------------------------------------------------------------------------------------------------------

-- What is known of a GSTIN; when that is older than p_max_age, or nothing, or p_sync, it is asked for in the account's name.
create function irnflow.gstin_want(p_gstin text, p_account_id bigint, p_sync boolean, p_max_age interval, p_at timestamptz)
returns irnflow.gstin_detail language plpgsql as $$
declare
    d irnflow.gstin_detail;
begin
    insert into irnflow.gstin_detail (gstin) values (p_gstin) on conflict do nothing;
    select * into d from irnflow.gstin_detail where gstin = p_gstin for update;
    if d.wanted_at is null
       and (p_sync or coalesce(d.fetched_at, '-infinity') <= p_at - p_max_age)
       and coalesce(d.asked_at, '-infinity') <= p_at - interval '1 minute' -- what the portal refuses counts as an error
    then
        update irnflow.gstin_detail set wanted_at = p_at, wanted_by = p_account_id, sync = p_sync, lease_until = null
         where gstin = p_gstin returning * into d;
    end if;
    return d;
end $$;

-- Leases GSTINs to ask the portal for, each with the first GSTIN of the account that can log in, within its pace (0008).
-- What must wait for the pace, a breaker or a pause is due again a little later, so that it stands in nobody's way.
create function irnflow.gstin_lease(
    p_at timestamptz, p_lease_until timestamptz, p_most int, p_portals text[], p_families text[], p_limits float8[])
returns table (gstin text, sync boolean, asker text, portal text)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    later constant interval := '2 seconds';
    due_gstins text[];
    due_askers text[]; -- null: the account has none that can log in, and is told so
    due_portals text[];
    taken bigint[];
begin
    select array_agg(d.gstin), array_agg(asker.gstin), array_agg(asker.portal) into due_gstins, due_askers, due_portals
      from (select * from irnflow.gstin_detail
             where wanted_at is not null and (lease_until is null or lease_until < p_at)
             order by wanted_at limit p_most for update skip locked) d
      left join lateral ( -- where its login is good; no portal: all that can log in are paused
        select g.gstin, case when g.is_paused then null else w.portal end as portal
          from (select k.gstin, c.family,
                       exists (select from irnflow.pause p where p.what = 'gstin' and p.key = k.gstin) as is_paused
                  from irnflow.gstin k join irnflow.credentials c using (gstin)
                 where k.account_id = d.wanted_by and k.stopped is null and c.stopped is null) g
          join unnest(p_portals, p_families) with ordinality as w (portal, family, preference) using (family)
         order by g.is_paused, w.preference, g.gstin limit 1) asker on true;
    if due_gstins is null then
        return;
    end if;
    taken := irnflow.pace_take(p_portals, p_limits, due_portals, due_askers, 1, p_most, p_at, p_lease_until);

    update irnflow.gstin_detail d set lease_until = p_at + later where d.gstin = any (due_gstins);
    return query
    with leased as (
        update irnflow.gstin_detail d set lease_until = p_lease_until
          from unnest(due_gstins, due_askers, due_portals) with ordinality as l (gstin, asker, portal, place)
         where d.gstin = l.gstin and (l.asker is null or l.place = any (taken)) returning d.gstin, d.sync, l.asker, l.portal)
    select * from leased;
end $$;

-- Keeps what the portal said of a GSTIN: details, or why there are none.
create function irnflow.gstin_keep(p_gstin text, p_details jsonb, p_says text, p_at timestamptz) returns void
language sql as $$
    update irnflow.gstin_detail
       set details = coalesce(p_details, details), fetched_at = case when p_details is null then fetched_at else p_at end,
           says = p_says, asked_at = p_at, wanted_at = null, lease_until = null, sync = false
     where gstin = p_gstin;
$$;

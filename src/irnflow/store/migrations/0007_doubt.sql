-- Documents and actions in doubt, and what people decide of them (design.md section 6, step 5).
-- Look-ups settle a doubt by themselves while the portal remembers; after that window only a person can, in two ways:
-- the identical payload once more to the same portal, for which the IRN makes it idempotent, or the signed document.

-- Who decided what, and why. Append-only.
create table irnflow.decision (
    decision_id    bigint generated always as identity primary key,
    irn            text not null,
    action_id      bigint references irnflow.action, -- of its life; null: its registration
    attempt        int not null,
    send           int not null, -- the call whose answer is lost
    what           text not null check (what in ('LOOK_UP', 'SEND_AGAIN', 'DOCUMENT', 'DONE', 'NOT_DONE')),
    decided_by     text not null,
    reason         text not null, -- may be empty for a look-up only
    signed_invoice text, -- DOCUMENT: what was brought
    signed_qr      text,
    at             timestamptz not null,
    check (what = 'LOOK_UP' or reason <> '')
);
create index decision_irn on irnflow.decision (irn, at);

-- What is in doubt, with what was lost and what the last look-up of it found.
create view irnflow.doubt as
select r.irn, r.account_id, r.books, r.voucher_id, r.gstin, r.doc_typ, r.doc_no, r.doc_dt, r.portal, r.sends,
       r.sent_at, r.next_at, r.not_there, lost.says as why, looked.says as found, looked.at as looked_at
  from irnflow.registration r
  left join lateral (
        select a.says from irnflow.attempt a
         where a.irn = r.irn and a.send = r.sends and a.what = 'send' and a.outcome <> 'INTENT'
         order by a.at desc limit 1) lost on true
  left join lateral (
        select a.says, a.at from irnflow.attempt a
         where a.irn = r.irn and a.send = r.sends and a.what = 'lookup'
         order by a.at desc limit 1) looked on true
 where r.state = 'UNKNOWN';

-- A person wants to know now: the look-up that is under way, or the next one, never before a late call can no longer
-- arrive (p_settle after the send), nor so close to one that found nothing that the two would count as one (p_gap).
create function irnflow.doubt_look(
    p_account_id bigint, p_irn text, p_settle interval, p_gap interval, p_by text, p_reason text, p_at timestamptz)
returns table (outcome text, due_at timestamptz) language plpgsql as $$
declare
    r irnflow.registration;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if r.state is distinct from 'UNKNOWN' then
        return query select coalesce(r.state::text, 'NO_SUCH'), null::timestamptz;
        return;
    end if;
    r.next_at := greatest(p_at, least(r.next_at, greatest(
        r.sent_at + p_settle, case when r.not_there > 0 then r.updated_at + p_gap end)));
    update irnflow.registration set next_at = r.next_at where irn = p_irn and coalesce(lease_until <= p_at, true);
    insert into irnflow.decision (irn, attempt, send, what, decided_by, reason, at)
    values (p_irn, r.attempt, r.sends, 'LOOK_UP', p_by, p_reason, p_at);
    return query select 'DONE', r.next_at;
end $$;

-- An admin lets the identical payload go once more, to the same portal: after the window.
create function irnflow.doubt_send_again(
    p_account_id bigint, p_irn text, p_window interval, p_by text, p_reason text, p_at timestamptz)
returns table (outcome text, due_at timestamptz) language plpgsql as $$
declare
    r irnflow.registration;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if r.state is distinct from 'UNKNOWN' then
        return query select coalesce(r.state::text, 'NO_SUCH'), null::timestamptz;
    elsif r.sent_at + p_window > p_at then
        return query select 'TOO_EARLY', r.sent_at + p_window;
    else
        insert into irnflow.decision (irn, attempt, send, what, decided_by, reason, at)
        values (p_irn, r.attempt, r.sends, 'SEND_AGAIN', p_by, p_reason, p_at);
        update irnflow.registration set state = 'READY', not_there = 0, next_at = p_at, updated_at = p_at
         where irn = p_irn;
        return query select 'DONE', p_at;
    end if;
end $$;

-- An admin brings the signed document, verified and compared by the caller with the payload of p_attempt: of a document
-- in doubt after the window, or of a registered one whose signed document is missing.
create function irnflow.doubt_document(
    p_account_id bigint, p_irn text, p_attempt int, p_window interval, p_ack_no text, p_ack_dt text,
    p_signed_invoice text, p_signed_qr text, p_by text, p_reason text, p_at timestamptz)
returns table (outcome text, due_at timestamptz) language plpgsql as $$
declare
    r irnflow.registration;
begin
    select * into r from irnflow.registration where irn = p_irn and account_id = p_account_id for update;
    if r.state = 'UNKNOWN' and r.sent_at + p_window > p_at then
        return query select 'TOO_EARLY', r.sent_at + p_window;
        return;
    end if;
    if r.irn is null or r.attempt <> p_attempt
       or r.state <> 'UNKNOWN' and (r.state <> 'ACCEPTED' or r.signed_invoice is not null) then
        return query select coalesce(r.state::text, 'NO_SUCH'), null::timestamptz;
        return;
    end if;
    insert into irnflow.decision
           (irn, attempt, send, what, decided_by, reason, signed_invoice, signed_qr, at)
    values (p_irn, r.attempt, r.sends, 'DOCUMENT', p_by, p_reason, p_signed_invoice, p_signed_qr, p_at);
    if r.state = 'UNKNOWN' then
        perform count(*) from irnflow.registration_settle(
            array[p_irn], array[r.attempt], array[r.sends], array['decision'], array['ACCEPTED'], array['THERE'],
            array[''], array['its signed document was brought'], array[null]::jsonb[], array[p_ack_no], array[p_ack_dt],
            array[p_signed_invoice], array[p_signed_qr], array[true], array[0], array[p_at], array[null]::text[],
            p_at, p_at);
    else
        update irnflow.registration
           set ack_no = p_ack_no, ack_dt = p_ack_dt, signed_invoice = p_signed_invoice, signed_qr = p_signed_qr,
               verified = true, updated_at = p_at
         where irn = p_irn;
        update irnflow.registration_request set tell_at = p_at where irn = p_irn and verdict is null;
    end if;
    return query select 'DONE', p_at;
end $$;

-- How many are in doubt, and of those how many for longer than each of these times; and since when the oldest is.
create function irnflow.doubts_aged(p_at timestamptz, p_alarm interval, p_page interval)
returns table (n bigint, alarm bigint, page bigint, oldest_at timestamptz, oldest text) stable language sql as $$
    select count(*), count(*) filter (where sent_at + p_alarm <= p_at), count(*) filter (where sent_at + p_page <= p_at),
           min(sent_at), (array_agg(irn order by sent_at))[1]
      from (select irn, sent_at from irnflow.registration where state = 'UNKNOWN'
            union all
            select irn, sent_at from irnflow.action where state = 'UNKNOWN') in_doubt;
$$;

-- A person wants to know now how an action stands: as doubt_look does it for a document.
create function irnflow.action_look(
    p_account_id bigint, p_action_id bigint, p_settle interval, p_gap interval, p_by text, p_reason text, p_at timestamptz)
returns table (outcome text, due_at timestamptz) language plpgsql as $$
declare
    a irnflow.action;
begin
    select * into a from irnflow.action where action_id = p_action_id and account_id = p_account_id for update;
    if a.state is distinct from 'UNKNOWN' then
        return query select case a.state when 'DONE' then 'ENDED' else coalesce(a.state::text, 'NO_SUCH') end, null::timestamptz;
        return;
    end if;
    a.next_at := greatest(p_at, least(a.next_at, greatest(
        a.sent_at + p_settle, case when a.not_done > 0 then a.updated_at + p_gap end)));
    update irnflow.action set next_at = a.next_at where action_id = p_action_id and coalesce(lease_until <= p_at, true);
    insert into irnflow.decision (irn, action_id, attempt, send, what, decided_by, reason, at)
    select a.irn, a.action_id, r.attempt, a.sends, 'LOOK_UP', p_by, p_reason, p_at
      from irnflow.registration r where r.irn = a.irn;
    return query select 'DONE', a.next_at;
end $$;

-- An admin says how an action ended that no look-up could settle, after the window. Done: as if the portal had said so;
-- of an e-way bill that was made, with its number. Not done: failed, and whoever wants it asks for it anew.
create function irnflow.action_decide(
    p_account_id bigint, p_action_id bigint, p_is_done boolean, p_ewb_no text, p_window interval, p_by text,
    p_reason text, p_at timestamptz)
returns table (outcome text, due_at timestamptz) language plpgsql as $$
declare
    a irnflow.action;
    what constant text := case when p_is_done then 'DONE' else 'NOT_DONE' end;
begin
    select * into a from irnflow.action where action_id = p_action_id and account_id = p_account_id;
    perform from irnflow.registration r where r.irn = a.irn for update; -- before the action, as action_settle does
    select * into a from irnflow.action where action_id = p_action_id and account_id = p_account_id for update;
    if a.state is distinct from 'UNKNOWN' then
        return query select case a.state when 'DONE' then 'ENDED' else coalesce(a.state::text, 'NO_SUCH') end, null::timestamptz;
        return;
    elsif a.sent_at + p_window > p_at then
        return query select 'TOO_EARLY', a.sent_at + p_window;
        return;
    elsif (p_is_done and a.kind = 'EWAY_BILL') <> (p_ewb_no is not null) then
        return query select 'BILL_NUMBER', null::timestamptz;
        return;
    end if;
    insert into irnflow.decision (irn, action_id, attempt, send, what, decided_by, reason, at)
    select a.irn, a.action_id, r.attempt, a.sends, what, p_by, p_reason, p_at
      from irnflow.registration r where r.irn = a.irn;
    perform count(*) from irnflow.action_settle(
        array[p_action_id], array[a.sends], array['decision'], array[case when p_is_done then 'DONE' else 'FAILED' end],
        array[what], array[''], array[case when p_is_done then '' else 'lifecycle.decided' end],
        array[format('%s has decided that it is %s: %s', p_by, lower(replace(what, '_', ' ')), p_reason)], array[''],
        array[case when p_is_done then jsonb_strip_nulls(jsonb_build_object('ewb_no', p_ewb_no)) end], array[0],
        array[p_at], p_at, p_at);
    return query select 'DONE', p_at;
end $$;

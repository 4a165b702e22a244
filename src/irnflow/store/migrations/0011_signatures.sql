-- Signatures of registered documents whose key came later than they.

-- By which key a signed text says it is signed; null when it is no signed text.
create function irnflow.kid_of(p_jws text) returns text immutable strict parallel safe language plpgsql as $$
declare
    head constant text := translate(split_part(p_jws, '.', 1), '-_', '+/');
begin
    return upper(convert_from(decode(rpad(head, (length(head) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::json ->> 'kid');
exception when others then
    return null;
end $$;

create index registration_unverified on irnflow.registration (portal, irnflow.kid_of(signed_invoice))
    where verified is null and signed_invoice is not null;
create index registration_distrusted on irnflow.registration (irn) where verified is false;

-- Documents of a portal that are registered, not verified yet, and signed with these keys; with what was sent.
create function irnflow.registration_unverified(p_portal text, p_kids text[], p_most int)
returns table (irn text, gstin text, doc_typ text, doc_no text, ack_no text, ack_dt text, signed_invoice text,
               signed_qr text, payload bytea)
stable language sql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
    select r.irn, r.gstin, r.doc_typ, r.doc_no, r.ack_no, r.ack_dt, r.signed_invoice, r.signed_qr, q.payload
      from irnflow.registration r
      join irnflow.registration_request q on q.batch_id = r.batch_id and q.transaction_id = r.transaction_id
     where r.verified is null and r.signed_invoice is not null and r.state in ('ACCEPTED', 'CANCELLED')
       and r.portal = p_portal and irnflow.kid_of(r.signed_invoice) = any (p_kids)
       and irnflow.kid_of(r.signed_qr) = any (p_kids)
     limit p_most;
$$;

-- Settles what became of their signatures. One that is bad is in doubt again: looked up, and told as that. Again
-- changes nothing.
create function irnflow.registration_verify(
    p_irns text[], p_verifieds boolean[], p_ack_dts text[], p_says text[], p_at timestamptz)
returns boolean language sql as $$
    with result as (
        select * from unnest(p_irns, p_verifieds, p_ack_dts, p_says) as x (irn, verified, ack_dt, says)),
    locked as ( -- in IRN order, as registration_settle
        select r.irn from irnflow.registration r where r.irn = any (p_irns) order by r.irn for update),
    changed as (
        update irnflow.registration r
           set verified = x.verified, distrust = case when not x.verified then x.says end, 
               ack_dt = coalesce(x.ack_dt, r.ack_dt), updated_at = p_at,
               state = case when x.verified or r.state = 'CANCELLED' then r.state else 'UNKNOWN' end,
               next_at = case when x.verified then r.next_at else p_at end, not_there = 0
          from result x join locked using (irn)
         where r.irn = x.irn and r.verified is null and r.state in ('ACCEPTED', 'CANCELLED')
        returning r.*, x.says),
    ledger as (
        insert into irnflow.attempt (batch_id, irn, attempt, send, digest, what, outcome, portal, says, at)
        select c.batch_id, c.irn, c.attempt, c.sends, c.digest, 'verify', case when c.verified then 'HOLDS' else 'BAD' end,
               c.portal, c.says, p_at
          from changed c),
    told as (
        update irnflow.registration_request w set tell_at = p_at
          from changed c
         where w.irn = c.irn and w.verdict is null and w.told = 'ACCEPTED' and c.state in ('ACCEPTED', 'UNKNOWN')
        returning 1)
    select exists (select from told);
$$;

-- Accounting: independent sources that must agree.

-- differences: each one found; `at_rest` are no differences while work is in flight
with rest as (
    select b.batch_id, b.batch_no, b.size, b.released, b.withdrawn_at, b.last_seq,
           (select count(*) from irnflow.transaction t where t.batch_id = b.batch_id) as transactions,
           (select coalesce(sum(c.n), 0) from irnflow.batch_count c where c.batch_id = b.batch_id) as counted,
           (select count(*) from irnflow.event e where e.batch_id = b.batch_id) as events,
           (select coalesce(max(e.seq), 0) from irnflow.event e where e.batch_id = b.batch_id) as highest_seq
    from irnflow.batch b
), stands as (
    select t.batch_id, t.transaction_id, coalesce(s.state, 'PROCESSING') as state
    from irnflow.transaction t left join irnflow.state s using (batch_id, transaction_id)
), tallied as (
    select batch_id, state, count(*) as n from stands group by batch_id, state
)
select 'intake' as what, false as at_rest, batch_no, null::text as transaction_id,
       format('%s vouchers were accepted, %s are there', size, transactions) as says
from rest where size <> transactions
union all
select 'counts', false, batch_no, null, format('%s vouchers, the counts of their states add up to %s', size, counted)
from rest where size <> counted
union all
select 'states', false, b.batch_no, null,
       format('%s are counted as %s, %s are', coalesce(c.n, 0), coalesce(c.state, t.state), coalesce(t.n, 0))
from tallied t full join irnflow.batch_count c using (batch_id, state) join irnflow.batch b using (batch_id)
where coalesce(c.n, 0) <> coalesce(t.n, 0)
union all
select 'events', false, batch_no, null,
       format('the last number is %s, %s events are there, the highest is %s', last_seq, events, highest_seq)
from rest where events <> last_seq or highest_seq <> last_seq
union all
select 'order', false, b.batch_no, s.transaction_id, format('it stands as %s, though an event has said %s', s.state, e.highest)
from stands s join irnflow.batch b using (batch_id)
cross join lateral (select max(status) as highest from irnflow.event e
                    where e.batch_id = s.batch_id and e.transaction_id = s.transaction_id) e
where e.highest <> s.state
union all
select 'released', true, batch_no, null, format('%s of %s vouchers have been sent on', released, size)
from rest where released < size and withdrawn_at is null
union all
select 'unfinished', true, b.batch_no, null, format('%s vouchers stand as %s', t.n, t.state)
from tallied t join irnflow.batch b using (batch_id)
where not irnflow.is_end(t.state)
union all
select 'untold', true, q.batch_no, q.transaction_id, format('its registration is %s, of which %s was told', r.state, coalesce(q.told::text, 'nothing'))
from irnflow.registration_request q left join irnflow.registration r using (irn)
where q.tell_at is not null or q.told is null
union all
select 'unseen', true, q.batch_no, q.transaction_id, format('%s was told of it, it stands as %s', q.told, s.state)
from irnflow.registration_request q join stands s using (batch_id, transaction_id)
where irnflow.is_unseen(q.told, s.state)
union all
select 'accepted', true, null, r.voucher_id, format('IRN %s is registered, and no transaction of it says so', r.irn)
from irnflow.registration r
where r.state = 'ACCEPTED' and not exists (
    select from irnflow.registration_request q join stands s using (batch_id, transaction_id)
    where q.irn = r.irn and s.state in ('REGISTERED', 'BOOKS_FAILED'))
union all
select 'registered', false, b.batch_no, s.transaction_id, 'it is called registered, and no IRN of it is'
from stands s join irnflow.batch b using (batch_id)
where s.state in ('GENERATION_SUCCESS', 'BOOKS_FAILED', 'REGISTERED') and not exists (
    select from irnflow.registration_request q join irnflow.registration r using (irn)
    where q.batch_id = s.batch_id and q.transaction_id = s.transaction_id and r.state in ('ACCEPTED', 'CANCELLED'))
  and not exists ( -- struck off later, for another portal had it first, and a person is told
    select from irnflow.failure f
    where f.batch_id = s.batch_id and f.transaction_id = s.transaction_id and f.cause = 'registration.struck_off'
      and (f.closed_at is null or f.retried_in is not null))
union all
select 'cancelled', true, q.batch_no, q.transaction_id, format('its IRN is cancelled, it stands as %s', s.state)
from irnflow.registration r
join irnflow.registration_request q on q.irn = r.irn and q.digest = r.digest and q.verdict is null
join stands s on s.batch_id = q.batch_id and s.transaction_id = q.transaction_id
where r.state = 'CANCELLED' and s.state < 'CANCELLED'
union all
select 'uncancelled', false, b.batch_no, s.transaction_id, 'it is called cancelled, and no IRN of it is'
from stands s join irnflow.batch b using (batch_id)
where s.state = 'CANCELLED' and not exists (
    select from irnflow.registration_request q join irnflow.registration r using (irn)
    where q.batch_id = s.batch_id and q.transaction_id = s.transaction_id and r.state = 'CANCELLED')
union all
select 'action', true, null, r.voucher_id, format('action %s on IRN %s stands as %s', a.action_id, a.irn, a.state)
from irnflow.action a join irnflow.registration r using (irn)
where a.state not in ('DONE', 'FAILED')
union all
select 'failed', true, b.batch_no, s.transaction_id, format('it stands as %s, and nobody is told why', s.state)
from stands s join irnflow.batch b using (batch_id)
left join irnflow.registration_request q using (batch_id, transaction_id)
where irnflow.is_unexplained(s.batch_id, s.transaction_id, s.state, q.told)
order by what, batch_no, transaction_id;

-- figures: how much of everything there is
select (select count(*) from irnflow.transaction) as transactions,
       (select coalesce(json_object_agg(state, n), '{}') from (
            select state, sum(n)::bigint as n from irnflow.batch_count where n > 0 group by state) c)::text as by_state,
       (select count(*) from irnflow.registration where state = 'ACCEPTED') as accepted,
       (select count(*) from irnflow.failure where closed_at is null and retried_in is null) as open_failures,
       (select count(*) from irnflow.dead_letter) as buried;

-- accepted: every IRN that is registered, to be compared with the books and with the portal
select irn, account_id, books, voucher_id, gstin, doc_typ, doc_no, doc_dt, ack_no, ack_dt, signed_qr
from irnflow.registration where state = 'ACCEPTED' order by irn;

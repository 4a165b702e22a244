-- Release: transactions become messages, and what has gone quiet is asked for again.

-- waiting: batches with transactions to release, the one that was served longest ago first; those of withdrawn ones are
-- told so instead
select b.batch_id, b.account_id, b.size - b.released as unreleased
from irnflow.batch b
where b.released < b.size
  and (b.withdrawn_at is not null
       or not exists (select from irnflow.pause p where p.what = 'batch' and p.key = b.batch_id::text))
order by (select r.released_at from irnflow.release r where r.batch_id = b.batch_id order by r.first desc limit 1)
             nulls first,
         b.batch_id;

-- window: the next transactions of these batches, so many of each; one of each batch in turn
select b.batch_id, b.batch_no, b.account_id, b.books, b.released, b.withdrawn_at, t.transaction_id, t.ordinal
from unnest($1::bigint[], $2::int[]) as w (batch_id, share)
join irnflow.batch b using (batch_id)
join irnflow.transaction t on t.batch_id = b.batch_id and t.ordinal > b.released and t.ordinal <= b.released + w.share
order by t.ordinal - b.released, b.batch_id;

-- mark_released: the broker has them
select irnflow.mark_released($1::bigint[], $2::int[], $3::int[], $4::timestamptz);

-- overdue: transactions of which nothing has been heard; $4: also those whose failure is known, and that don't say so;
-- $5: also those that say so, and whose failure isn't known
select batch_id, batch_no, account_id, books, transaction_id, state, times, released_at, others_move
from irnflow.overdue($1::timestamptz, $2::interval, $3::int, $4::boolean, $5::boolean);

-- mark_resent: sent once more
select irnflow.mark_resent($1::bigint[], $2::text[], $3::timestamptz);

-- tell_again: outcomes whose effect has not been seen
select irnflow.tell_again($1::timestamptz, $2::interval, $3::int, $4::boolean) as told;

-- withdraw_late: requests that arrived while their batch was being withdrawn
select irnflow.withdraw_late($1::timestamptz) as taken_back;

-- finish_batches: nothing more is to come of them
select irnflow.finish_batches($1::timestamptz) as finished;

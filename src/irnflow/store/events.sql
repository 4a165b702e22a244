-- What the websocket service records, and what it reads to show it. Statements: the functions of 0004_events.sql.

-- record: records statuses and tells how many were new
select irnflow.record_events($1::bigint[], $2::text[], $3::text[]::irnflow.transaction_state[],
                             $4::smallint[], $5::timestamptz[], $6::text[]::jsonb[]) as news;

-- standing: a batch of an account as it stands; no row when the account has none of this number
select batch_id, size, last_seq, irnflow.counts(batch_id) as counts
from irnflow.batch where account_id = $1::bigint and batch_no = $2::text;

-- events: the events after $2 and up to $3
select irnflow.events_between($1::bigint, $2::bigint, $3::bigint) as events;

-- news: batches that have moved on from where they were seen; events is null when there are more than $3 of them
select b.batch_id, b.last_seq, irnflow.counts(b.batch_id) as counts,
       case when b.last_seq - seen.seq <= $3::bigint
            then irnflow.events_between(b.batch_id, seen.seq, b.last_seq) end as events
from unnest($1::bigint[], $2::bigint[]) as seen (batch_id, seq) join irnflow.batch b using (batch_id)
where b.last_seq > seen.seq;

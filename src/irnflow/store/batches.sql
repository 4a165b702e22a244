-- Batches as irn_service takes them in and shows them.

-- intake: makes a batch of vouchers, once
select outcome, batch_id, batch_no
from irnflow.intake($1::bigint, $2::text, $3::text, $4::text[], $5::text, $6::timestamptz);

-- newest: batches of an account, newest first, below a position
select b.batch_id, b.batch_no, b.books, b.size, b.last_seq, b.created_at, b.withdrawn_at, r.batch_no as retry_of,
       (select p.reason from irnflow.pause p where p.what = 'batch' and p.key = b.batch_id::text) as paused,
       (select json_object_agg(c.state, c.n) from irnflow.batch_count c where c.batch_id = b.batch_id and c.n > 0)::text
           as counts
from irnflow.batch b left join irnflow.batch r on r.batch_id = b.retry_of
where b.account_id = $1::bigint and b.batch_id < $2::bigint
order by b.batch_id desc limit $3::int;

-- one: a batch of an account by its number
select b.batch_id, b.batch_no, b.books, b.size, b.last_seq, b.created_at, b.withdrawn_at, r.batch_no as retry_of,
       (select p.reason from irnflow.pause p where p.what = 'batch' and p.key = b.batch_id::text) as paused,
       (select json_object_agg(c.state, c.n) from irnflow.batch_count c where c.batch_id = b.batch_id and c.n > 0)::text
           as counts
from irnflow.batch b left join irnflow.batch r on r.batch_id = b.retry_of
where b.account_id = $1::bigint and b.batch_no = $2::text;

-- transactions: those of a batch in the order of the request, after a position; of one state, or of all for null
select t.ordinal, t.transaction_id, coalesce(s.state::text, 'PROCESSING') as state, coalesce(s.at, b.created_at) as at,
       coalesce(s.detail, '{}')::text as detail
from irnflow.batch b
join irnflow.transaction t on t.batch_id = b.batch_id and t.ordinal > $2::bigint
left join irnflow.state s on s.batch_id = t.batch_id and s.transaction_id = t.transaction_id
where b.batch_id = $1::bigint and ($3::text is null or coalesce(s.state::text, 'PROCESSING') = $3::text)
order by t.ordinal limit $4::int;

-- history: what happened to one transaction of a batch; one row with nulls when nothing has yet, none when it isn't there
select coalesce(s.state::text, 'PROCESSING') as state, e.seq, e.status::text as status, e.at, e.detail::text as detail
from irnflow.transaction t
left join irnflow.state s on s.batch_id = t.batch_id and s.transaction_id = t.transaction_id
left join irnflow.event e on e.batch_id = t.batch_id and e.transaction_id = t.transaction_id
where t.batch_id = $1::bigint and t.transaction_id = $2::text
order by e.seq;

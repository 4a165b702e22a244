-- Failures: what a person has to look at.

-- record: keeps failures; parallel arrays
select irnflow.record_failures($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                               $8::jsonb[], $9::int[], $10::jsonb[], $11::bytea[], $12::timestamptz[],
                               $13::irnflow.transaction_state[]);

-- known: those transactions that are there, of the account that is said
select c.batch_id, c.transaction_id
from unnest($1::bigint[], $2::text[], $3::bigint[]) as c (batch_id, transaction_id, account_id)
join irnflow.batch b on b.batch_id = c.batch_id and b.account_id = c.account_id
join irnflow.transaction t on t.batch_id = c.batch_id and t.transaction_id = c.transaction_id;

-- keep_dead_letters: as they came; parallel arrays; again changes nothing
insert into irnflow.dead_letter (message_id, queue, reason, headers, body, at)
select message_id, queue, reason, headers, body, $6::timestamptz
from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[]) as c (message_id, queue, reason, headers, body)
on conflict do nothing;

-- open_by_cause: open failures of an account, of one batch or of all for null, in groups after a (stage, cause)
select g.stage, g.cause, g.count, g.vouchers, g.says, g.fix, g.examples::text as examples
from (
    select o.stage, o.cause, count(*) as count, count(distinct (o.books, o.transaction_id)) as vouchers,
           max(o.says) filter (where o.place = 1) as says, max(o.fix) filter (where o.place = 1) as fix,
           json_agg(json_build_object('batch_no', o.batch_no, 'transaction_id', o.transaction_id) order by o.place)
               filter (where o.place <= 5) as examples
    from (
        select f.stage, f.cause, f.says, f.fix, f.transaction_id, b.batch_no, b.books,
               row_number() over (partition by f.stage, f.cause order by f.batch_id desc, f.transaction_id) as place
        from irnflow.failure f join irnflow.batch b using (batch_id)
        where f.account_id = $1::bigint and f.closed_at is null and f.retried_in is null
          and ($2::bigint is null or f.batch_id = $2::bigint)
          and (f.stage, f.cause) > ($3::text, $4::text)
    ) o
    group by o.stage, o.cause
) g
order by g.stage, g.cause limit $5::int;

-- retry: sends chosen open failures again as a new batch
select outcome, batch_id, batch_no, retry_of, transaction_ids
from irnflow.retry($1::bigint, $2::text, $3::text, $4::text, $5::text[], $6::int, $7::text, $8::timestamptz);

-- Events: what happened to each transaction, in an order without gaps, and what follows from it.

-- Records statuses, given as parallel arrays in the order they came; gives how many were new.
--
-- Locks the batches in id order, so that two callers queue up and never lock each other out. A status that stands
-- there already (batch, transaction, status, n), or twice in the call, changes nothing. The rest is numbered from
-- batch.last_seq without a gap; whoever sees a number sees all before it, for the lock is held until the commit.
-- A transaction moves only up the order of the states: what comes late is recorded and moves nothing.
--
-- Raises class 23 when a batch or a transaction is not there: nothing of the call is recorded then.
-- Tells listeners of irnflow_event once a call: "batch:last_seq,batch:last_seq", or "*" when those are too many.
create function irnflow.record_events(
    batch_ids bigint[], transaction_ids text[], statuses irnflow.transaction_state[],
    ns smallint[], ats timestamptz[], details jsonb[]
) returns bigint language plpgsql
-- One plan for all calls, row by row through the indexes: what the planner makes of tables that are still empty
-- reads them whole, and would be kept while they grow.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    news bigint;
    strangers bigint;
    told text;
begin
    perform from irnflow.batch b where b.batch_id = any (batch_ids) order by b.batch_id for no key update;

    with came as (
        select distinct on (c.batch_id, c.transaction_id, c.status, c.n) c.*
        from unnest(batch_ids, transaction_ids, statuses, ns, ats, details)
             with ordinality as c (batch_id, transaction_id, status, n, at, detail, place)
        order by c.batch_id, c.transaction_id, c.status, c.n, c.place
    ), fresh as (
        select c.*, row_number() over (partition by c.batch_id order by c.place) as ahead
        from came c
        where (select true from irnflow.event e
               where e.batch_id = c.batch_id and e.transaction_id = c.transaction_id
                 and e.status = c.status and e.n = c.n) is null
    ), recorded as (
        insert into irnflow.event (batch_id, seq, transaction_id, status, n, at, detail)
        select f.batch_id,
               f.ahead + (select b.last_seq from irnflow.batch b where b.batch_id = f.batch_id), -- no batch: null, refused
               f.transaction_id, f.status, f.n, f.at, f.detail
        from fresh f
        returning batch_id, seq, transaction_id, status, at, detail
    ), numbered as (
        update irnflow.batch b set last_seq = r.seq
        from (select batch_id, max(seq) as seq from recorded group by batch_id) r
        where b.batch_id = r.batch_id and b.batch_id = any (batch_ids)
        returning b.batch_id, b.last_seq
    ), stood as materialized ( -- looked up once
        select r.*, (select s.state from irnflow.state s
                     where s.batch_id = r.batch_id and s.transaction_id = r.transaction_id) as known
        from recorded r
    ), stands as ( -- each status beside what its transaction was before the call, and what it is after it
        select *, coalesce(known, 'PROCESSING') as was,
               greatest(known, max(status) over (partition by batch_id, transaction_id)) as is_now
        from stood
    ), moved as (
        select distinct on (batch_id, transaction_id) *
        from stands where status = is_now and is_now > was
        order by batch_id, transaction_id, seq
    ), placed as (
        insert into irnflow.state (batch_id, transaction_id, state, seq, at, detail)
        select batch_id, transaction_id, status, seq, at, detail from moved
        on conflict (batch_id, transaction_id)
        do update set state = excluded.state, seq = excluded.seq, at = excluded.at, detail = excluded.detail
    ), counted as (
        insert into irnflow.batch_count (batch_id, state, n)
        select change.batch_id, change.state,
               sum(change.by) + coalesce((select c.n from irnflow.batch_count c
                                          where c.batch_id = change.batch_id and c.state = change.state), 0)
        from moved, lateral (values (batch_id, was, -1), (batch_id, is_now, 1)) as change (batch_id, state, by)
        group by change.batch_id, change.state
        having sum(change.by) <> 0
        on conflict (batch_id, state) do update set n = excluded.n
    ), closed as ( -- failures below where their transaction stands now, whichever of the two came first
        update irnflow.failure f set closed_at = o.at
        from (
            select batch_id, transaction_id, is_now, at, failing
            -- What is said of a cancellation is the books' newest word: failures of theirs before it are over.
            from stands, lateral (values (was), (case status when 'CANCELLED' then 'BOOKS_FAILED' else status end)) as past (failing)
            where failing < is_now and irnflow.is_failure(failing)
        ) o
        where f.batch_id = o.batch_id and f.transaction_id = o.transaction_id and f.failing = o.failing
          and f.closed_at is null
          and (f.at < o.at or f.failing <> 'GENERATION_FAILED' and o.is_now < 'CANCELLED') -- not: struck off after success
    )
    select (select count(*) from recorded),
           (select count(*) from stands s
            where s.known is null and (select true from irnflow.transaction t where t.batch_id = s.batch_id
                                       and t.transaction_id = s.transaction_id) is null),
           (select string_agg(batch_id || ':' || last_seq, ',') from numbered)
    into news, strangers, told;

    if strangers > 0 then
        raise foreign_key_violation
            using message = strangers || ' of the statuses are of a transaction that is not in its batch';
    end if;
    if news > 0 then
        perform pg_notify('irnflow_event', case when octet_length(told) < 8000 then told else '*' end);
    end if;
    return news;
end $$;

-- The events after one seq and up to another as a JSON array, in the form browsers get them; `state` is where the
-- transaction stands now.
create function irnflow.events_between(of_batch bigint, after bigint, upto bigint) returns text
language sql stable parallel safe
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
    select coalesce(json_agg(told order by told.seq), '[]')::text
    from (
        select e.seq, e.transaction_id, e.status, s.state,
               to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, e.detail
        from irnflow.event e join irnflow.state s using (batch_id, transaction_id)
        where e.batch_id = of_batch and e.seq > after and e.seq <= upto
    ) told
$$;

-- How many transactions of a batch stand in each state, as a JSON object; states that nobody is in are left out.
create function irnflow.counts(of_batch bigint) returns text language sql stable parallel safe as $$
    select coalesce(json_object_agg(state, n order by state), '{}')::text
    from irnflow.batch_count where batch_id = of_batch and n > 0
$$;

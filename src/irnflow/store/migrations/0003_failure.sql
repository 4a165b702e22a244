-- Failures: the worklist that people mend from.

-- A failure is open until its transaction has moved past it, or a new batch has taken it up.
create index failure_open on irnflow.failure (account_id, stage, cause, batch_id)
    where closed_at is null and retried_in is null;

-- Keeps failures, given as parallel arrays; gives how many are new or newer than what stood there.
--
-- One row a transaction and stage, that of the highest state in p_failings, which its transaction comes to stand in:
-- a message may die while its duplicate fails as usual. The same failure again changes nothing; of one state, a later
-- one takes its place. It is closed at once when the transaction has passed that state; locking the batches makes
-- record_events and this see each other's work. A person may be told in the moment of success (the voucher had changed
-- in the books) or after it (a portal has struck it off): only a later success closes that.
--
-- Raises foreign_key_violation when a transaction isn't the account's: nothing of the call is kept then.
create function irnflow.record_failures(
    p_batch_ids bigint[], p_transaction_ids text[], p_account_ids bigint[], p_stages text[], p_causes text[],
    p_says text[], p_fixes text[], p_faults jsonb[], p_attempts int[], p_messages jsonb[], p_raws bytea[],
    p_ats timestamptz[], p_failings irnflow.transaction_state[])
returns bigint language plpgsql as $$
declare
    strangers bigint;
    kept bigint;
begin
    perform from irnflow.batch b where b.batch_id = any (p_batch_ids) order by b.batch_id for no key update;

    select count(*) into strangers
      from unnest(p_batch_ids, p_transaction_ids, p_account_ids) as c (batch_id, transaction_id, account_id)
     where not exists (
        select from irnflow.batch b join irnflow.transaction t using (batch_id)
         where b.batch_id = c.batch_id and b.account_id = c.account_id and t.transaction_id = c.transaction_id);
    if strangers > 0 then
        raise foreign_key_violation using message = strangers || ' of the failures name a transaction that is not there';
    end if;

    insert into irnflow.failure as f
           (batch_id, transaction_id, stage, failing, account_id, cause, says, fix, faults, attempts, message, raw, at,
            closed_at)
    select distinct on (c.batch_id, c.transaction_id, c.stage)
           c.batch_id, c.transaction_id, c.stage, c.failing, c.account_id, c.cause, c.says, c.fix, c.faults, c.attempts,
           c.message, c.raw, c.at, case when s.state > c.failing and (c.failing < 'GENERATION_FAILED' or s.at > c.at) then s.at end
      from unnest(p_batch_ids, p_transaction_ids, p_account_ids, p_stages, p_causes, p_says, p_fixes, p_faults,
                  p_attempts, p_messages, p_raws, p_ats, p_failings)
        as c (batch_id, transaction_id, account_id, stage, cause, says, fix, faults, attempts, message, raw, at, failing)
      left join irnflow.state s on s.batch_id = c.batch_id and s.transaction_id = c.transaction_id
     order by c.batch_id, c.transaction_id, c.stage, c.failing desc, c.at desc
    on conflict (batch_id, transaction_id, stage) do update
       set failing = excluded.failing, cause = excluded.cause, says = excluded.says, fix = excluded.fix, faults = excluded.faults,
           attempts = excluded.attempts, message = excluded.message, raw = excluded.raw, at = excluded.at,
           closed_at = excluded.closed_at
     where (excluded.failing, excluded.at) > (f.failing, f.at);
    get diagnostics kept = row_count;
    return kept;
end $$;

-- Sends the chosen open failures again, as a new batch that names the one it came from (when it is one). Each
-- criterion may be null: then it chooses all. At most p_most, the oldest first. Outcomes:
--   ACCEPTED      done
--   REPEATED      the same request with this Idempotency-Key came before: its batch
--   KEY_USED      another request had this Idempotency-Key
--   NOTHING_OPEN  no open failure meets the criteria
--   BOOKS_MIXED   those that do are of several books: a batch reads one
create function irnflow.retry(
    p_account_id bigint, p_stage text, p_cause text, p_batch_no text, p_transaction_ids text[], p_most int,
    p_idempotency_key text, p_at timestamptz,
    out outcome text, out batch_id bigint, out batch_no text, out retry_of text, out transaction_ids text[])
language plpgsql as $$
declare
    body constant bytea := sha256(convert_to(
        jsonb_build_array('retry', p_stage, p_cause, p_batch_no, p_transaction_ids)::text, 'UTF8'));
    earlier irnflow.batch;
    chosen_batches bigint[];
    chosen_ids text[];
    chosen_books text[];
    found_or_new record;
begin
    -- One retry of an account at a time, or the same request twice at once would find nothing left to send.
    perform pg_advisory_xact_lock(hashtextextended('irnflow.retry ' || p_account_id, 0));

    select * into earlier from irnflow.batch b
     where b.account_id = p_account_id and b.idempotency_key = p_idempotency_key;
    if found then
        outcome := case when earlier.digest = body then 'REPEATED' else 'KEY_USED' end;
        batch_id := earlier.batch_id;
        batch_no := earlier.batch_no;
        retry_of := (select b.batch_no from irnflow.batch b where b.batch_id = earlier.retry_of);
        transaction_ids := (select array_agg(t.transaction_id order by t.ordinal) from irnflow.transaction t
                             where t.batch_id = earlier.batch_id);
        return;
    end if;

    with chosen as (
        select f.batch_id, f.transaction_id
          from irnflow.failure f
         where f.account_id = p_account_id and f.closed_at is null and f.retried_in is null
           and (p_stage is null or f.stage = p_stage)
           and (p_cause is null or f.cause = p_cause)
           and (p_transaction_ids is null or f.transaction_id = any (p_transaction_ids))
           and (p_batch_no is null or f.batch_id = (select b.batch_id from irnflow.batch b
                                                     where b.account_id = p_account_id and b.batch_no = p_batch_no))
         order by f.batch_id, f.transaction_id
         limit p_most
    )
    select array_agg(c.batch_id), array_agg(c.transaction_id), array_agg(distinct b.books)
      into chosen_batches, chosen_ids, chosen_books
      from chosen c join irnflow.batch b using (batch_id);
    if chosen_ids is null then
        outcome := 'NOTHING_OPEN';
        return;
    end if;
    if cardinality(chosen_books) > 1 then
        outcome := 'BOOKS_MIXED';
        return;
    end if;

    -- A voucher may have failed in several batches, or at several stages: it goes once.
    select array_agg(once.id order by once.place) into transaction_ids
      from (select id, min(place) as place from unnest(chosen_ids) with ordinality as c (id, place) group by id) once;
    found_or_new := irnflow.open_batch(
        p_account_id, null, chosen_books[1], body, cardinality(transaction_ids), p_idempotency_key,
        case when chosen_batches[1] = all (chosen_batches) then chosen_batches[1] end, p_at);
    outcome := found_or_new.outcome;
    batch_id := (found_or_new.opened).batch_id;
    batch_no := (found_or_new.opened).batch_no;
    if outcome <> 'ACCEPTED' then -- intake has just used the key
        return;
    end if;
    retry_of := (select b.batch_no from irnflow.batch b where b.batch_id = (found_or_new.opened).retry_of);
    perform irnflow.fill_batch(batch_id, transaction_ids);

    update irnflow.failure f set retried_in = (found_or_new.opened).batch_id
      from unnest(chosen_batches, chosen_ids) as c (batch_id, transaction_id)
     where f.batch_id = c.batch_id and f.transaction_id = c.transaction_id and f.retried_in is null;
end $$;

-- Intake: vouchers become a batch of transactions, wholly or not at all, and once however often it is asked for.

-- What makes two requests the same: the books and the ids, in whatever order. Ids hold no control characters.
create function irnflow.intake_digest(p_books text, p_ids text[]) returns bytea language sql immutable as $$
    select sha256(convert_to(p_books || E'\n' || string_agg(id, E'\n' order by id collate "C"), 'UTF8'))
      from unnest(p_ids) as ids (id);
$$;

-- Opens a batch, or finds the one that the same request opened before. Outcomes:
--   ACCEPTED      it is new, and the caller owes it its transactions
--   REPEATED      it stands since an earlier request
--   NUMBER_TAKEN  the account has a batch of this number with other ids
--   KEY_USED      the account has used this Idempotency-Key for another request
create function irnflow.open_batch(
    p_account_id bigint, p_batch_no text, p_books text, p_digest bytea, p_size int, p_idempotency_key text,
    p_retry_of bigint, p_at timestamptz, out outcome text, out opened irnflow.batch)
language plpgsql as $$
declare
    new_id bigint := nextval(pg_get_serial_sequence('irnflow.batch', 'batch_id'));
    assigned text := to_char(p_at at time zone interval '+05:30', 'YYYYMMDD') || '-' || new_id;
begin
    loop
        insert into irnflow.batch
               (batch_id, account_id, batch_no, books, digest, idempotency_key, size, retry_of, created_at)
        overriding system value
        values (new_id, p_account_id, coalesce(p_batch_no, assigned), p_books, p_digest, p_idempotency_key, p_size,
                p_retry_of, p_at)
        on conflict do nothing -- of the number or the key; waits for whoever is inserting the same
        returning * into opened;
        if found then
            outcome := 'ACCEPTED';
            return;
        end if;

        select * into opened from irnflow.batch
         where account_id = p_account_id and idempotency_key = p_idempotency_key;
        if found then
            outcome := case when opened.digest = p_digest and opened.batch_no = coalesce(p_batch_no, opened.batch_no)
                            then 'REPEATED' else 'KEY_USED' end;
            return;
        end if;

        if p_batch_no is not null then
            select * into opened from irnflow.batch where account_id = p_account_id and batch_no = p_batch_no;
            outcome := case when opened.digest = p_digest then 'REPEATED' else 'NUMBER_TAKEN' end;
            return;
        end if;
        assigned := assigned || '.'; -- somebody had chosen the very number that we assign
    end loop;
end $$;

-- Gives a new batch its transactions, in the order of the request, all PROCESSING, and wakes the dispatcher.
create function irnflow.fill_batch(p_batch_id bigint, p_ids text[]) returns void language plpgsql as $$
begin
    perform irnflow.make_room(p_batch_id);
    insert into irnflow.transaction (batch_id, transaction_id, ordinal)
    select p_batch_id, id, ordinal from unnest(p_ids) with ordinality as ids (id, ordinal);
    insert into irnflow.batch_count (batch_id, state, n) values (p_batch_id, 'PROCESSING', cardinality(p_ids));
    perform pg_notify('irnflow_intake', '');
end $$;

-- Takes in vouchers of an account's books (null: its only ones). Outcomes as of open_batch, and
--   BOOKS_UNKNOWN  the account has no such books
--   BOOKS_UNNAMED  it has none or several, and the request doesn't say which
-- Raises unique_violation when an id stands twice in p_ids.
create function irnflow.intake(
    p_account_id bigint, p_batch_no text, p_books text, p_ids text[], p_idempotency_key text, p_at timestamptz,
    out outcome text, out batch_id bigint, out batch_no text)
language plpgsql as $$
declare
    named text[];
    found_or_new record;
begin
    select array_agg(k.books) into named from irnflow.books k
     where k.account_id = p_account_id and k.books = coalesce(p_books, k.books);
    if cardinality(named) is distinct from 1 then
        outcome := case when p_books is null then 'BOOKS_UNNAMED' else 'BOOKS_UNKNOWN' end;
        return;
    end if;

    found_or_new := irnflow.open_batch(p_account_id, p_batch_no, named[1], irnflow.intake_digest(named[1], p_ids),
                                       cardinality(p_ids), p_idempotency_key, null, p_at);
    outcome := found_or_new.outcome;
    batch_id := (found_or_new.opened).batch_id;
    batch_no := (found_or_new.opened).batch_no;
    if outcome = 'ACCEPTED' then
        perform irnflow.fill_batch(batch_id, p_ids);
    end if;
end $$;

-- Release: transactions become messages ------------------------------------------------------------------------------

-- Marks the next transactions of each batch as sent, after the broker has confirmed them. Again changes nothing:
-- p_firsts tells where the caller's window began.
create function irnflow.mark_released(p_batch_ids bigint[], p_firsts int[], p_lasts int[], p_at timestamptz)
returns void language sql as $$
    with marked as (
        update irnflow.batch b set released = w.last
          from unnest(p_batch_ids, p_firsts, p_lasts) as w (batch_id, first, last)
         where b.batch_id = w.batch_id and b.released = w.first - 1
        returning b.batch_id, w.first, w.last
    )
    insert into irnflow.release (batch_id, first, last, released_at)
    select batch_id, first, last, p_at from marked;
$$;

-- Watch: what has gone quiet -----------------------------------------------------------------------------------------

-- Whether nothing more is to come of a transaction by itself.
create function irnflow.is_end(p_state irnflow.transaction_state) returns boolean language sql immutable as $$
    select p_state not in ('PROCESSING', 'DATA_FETCHED', 'VALIDATION_SUCCESS', 'IN_DOUBT', 'GENERATION_SUCCESS');
$$;

-- Whether a transaction that stands in this state has failed, and a person is told why.
create function irnflow.is_failure(of_state irnflow.transaction_state) returns boolean language sql immutable as $$
    select of_state in ('DATA_FETCH_FAILED', 'VALIDATION_FAILED', 'DEAD_LETTERED', 'GENERATION_FAILED', 'BOOKS_FAILED')
$$;

-- Whether a transaction stands in a failure, or was struck off after success (p_told: what was said of its request),
-- and nobody is told why: the broker lost what was said of it.
create function irnflow.is_unexplained(
    p_batch_id bigint, p_transaction_id text, p_state irnflow.transaction_state, p_told irnflow.registration_state)
returns boolean language sql stable as $$
    select (irnflow.is_failure(p_state) or p_told = 'REJECTED' and p_state in ('GENERATION_SUCCESS', 'REGISTERED'))
       and not exists (
        select from irnflow.failure f
         where f.batch_id = p_batch_id and f.transaction_id = p_transaction_id
           and case when p_told = 'REJECTED' and p_state > 'GENERATION_FAILED' then f.failing = 'GENERATION_FAILED'
                    else f.failing >= p_state end
           and (f.closed_at is null or f.retried_in is not null));
$$;

-- Whether the effect of what was told of a request is not there yet: its transaction stands below the state that it has
-- at least by then, or was struck off as generated, which the books won't answer any more.
create function irnflow.is_unseen(p_told irnflow.registration_state, p_state irnflow.transaction_state)
returns boolean language sql immutable as $$
    select coalesce(p_state, 'PROCESSING') < (case p_told
        when 'ACCEPTED' then 'BOOKS_FAILED' -- the books answer it, either way
        when 'UNKNOWN' then 'IN_DOUBT'
        when 'READY' then 'WITHDRAWN' -- it was not sent
        else 'GENERATION_FAILED'
    end)::irnflow.transaction_state or p_told = 'REJECTED' and p_state = 'GENERATION_SUCCESS';
$$;

-- Transactions sent more than p_quiet ago of which nothing has been heard since: no request to the portal, no
-- failure, no step further. p_failed_too: no status is under way, so where a failure is known and isn't seen, what was
-- said of it got lost. p_explained: no failure is under way, so where one is seen and isn't known, it got lost.
-- `others_move`: another transaction of the same books has taken a step since this one was sent
-- (again), so what should serve it works.
create function irnflow.overdue(
    p_at timestamptz, p_quiet interval, p_most int, p_failed_too boolean, p_explained boolean)
returns table (batch_id bigint, batch_no text, account_id bigint, books text, transaction_id text,
               state irnflow.transaction_state, times int, released_at timestamptz, others_move boolean)
language sql stable as $$
    select b.batch_id, b.batch_no, b.account_id, b.books, t.transaction_id, coalesce(s.state, 'PROCESSING'),
           coalesce(a.times, 0), r.released_at,
           exists (
               select from (select o.batch_id, o.last_seq from irnflow.batch o
                             where o.account_id = b.account_id and o.books = b.books
                             order by o.batch_id desc limit 50) o
                 join irnflow.event e on e.batch_id = o.batch_id and e.seq = o.last_seq
                where e.at > coalesce(a.resent_at, r.released_at))
      from irnflow.batch b
      join irnflow.release r on r.batch_id = b.batch_id and r.released_at <= p_at - p_quiet
      join irnflow.transaction t on t.batch_id = b.batch_id and t.ordinal between r.first and r.last
      left join irnflow.state s on s.batch_id = t.batch_id and s.transaction_id = t.transaction_id
      left join irnflow.resend a on a.batch_id = t.batch_id and a.transaction_id = t.transaction_id
     where b.finished_at is null
       and (coalesce(s.state, 'PROCESSING') in ('PROCESSING', 'DATA_FETCHED', 'VALIDATION_SUCCESS')
            and (p_failed_too or not exists (select from irnflow.failure f
                                              where f.batch_id = t.batch_id and f.transaction_id = t.transaction_id))
            or p_explained and irnflow.is_unexplained(s.batch_id, s.transaction_id, s.state, null))
       and coalesce(s.at, r.released_at) <= p_at - p_quiet
       and coalesce(a.resent_at, r.released_at) <= p_at - p_quiet
       and not exists (select from irnflow.registration_request q
                        where q.batch_id = t.batch_id and q.transaction_id = t.transaction_id)
     order by b.batch_id, t.ordinal
     limit p_most;
$$;

-- Counts that these were sent once more.
create function irnflow.mark_resent(p_batch_ids bigint[], p_transaction_ids text[], p_at timestamptz)
returns void language sql as $$
    insert into irnflow.resend as a (batch_id, transaction_id, times, resent_at)
    select batch_id, transaction_id, 1, p_at
      from unnest(p_batch_ids, p_transaction_ids) as w (batch_id, transaction_id)
    on conflict (batch_id, transaction_id) do update set times = a.times + 1, resent_at = excluded.resent_at;
$$;

-- Has outcomes told again that were told more than p_quiet ago and whose effect has not been seen, or came to a failure
-- that got lost (p_explained: none is under way); gives how many.
create function irnflow.tell_again(p_at timestamptz, p_quiet interval, p_most int, p_explained boolean) returns bigint
language sql as $$
    with unseen as (
        select q.batch_id, q.transaction_id
          from irnflow.batch b
          join irnflow.registration_request q on q.batch_id = b.batch_id
          left join irnflow.state s on s.batch_id = q.batch_id and s.transaction_id = q.transaction_id
         where b.finished_at is null and q.tell_at is null and q.told_at <= p_at - p_quiet
           and (irnflow.is_unseen(q.told, s.state)
                or p_explained and (irnflow.is_failure(s.state) or q.told = 'REJECTED') -- for speed
                   and irnflow.is_unexplained(s.batch_id, s.transaction_id, s.state, q.told))
         order by q.told_at
         limit p_most
    ), again as (
        update irnflow.registration_request q set tell_at = p_at from unseen u
         where q.batch_id = u.batch_id and q.transaction_id = u.transaction_id and q.tell_at is null
        returning 1
    )
    select count(*) from again;
$$;

-- Lets the watchdog look away from batches whose transactions have all come to their end; gives how many.
create function irnflow.finish_batches(p_at timestamptz) returns bigint language sql as $$
    with finished as (
        update irnflow.batch b set finished_at = p_at
         where b.finished_at is null and b.released = b.size
           and not exists (select from irnflow.batch_count c
                            where c.batch_id = b.batch_id and c.n > 0 and not irnflow.is_end(c.state))
           and not exists (select from irnflow.registration_request q
                             left join irnflow.state s on s.batch_id = q.batch_id and s.transaction_id = q.transaction_id
                            where q.batch_id = b.batch_id
                              and (q.told is null or q.tell_at is not null or irnflow.is_unseen(q.told, s.state)))
           and not exists (select from irnflow.state s
                             left join irnflow.registration_request q using (batch_id, transaction_id)
                            where s.batch_id = b.batch_id
                              and (irnflow.is_failure(s.state) or q.told = 'REJECTED') -- for speed
                              and irnflow.is_unexplained(s.batch_id, s.transaction_id, s.state, q.told))
        returning 1
    )
    select count(*) from finished;
$$;

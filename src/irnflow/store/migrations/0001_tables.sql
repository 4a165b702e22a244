-- The store: what irnflow itself must never forget. Every row says which service keeps it.
-- Times are given by the caller; nothing here calls now(). Amounts live in the documents, as sent.

create schema irnflow;

-- The order is the law of states: a transaction moves only up it (messages.State has the same list).
create type irnflow.transaction_state as enum (
    'PROCESSING', 'DATA_FETCHED', 'VALIDATION_SUCCESS', 'DATA_FETCH_FAILED', 'VALIDATION_FAILED', 'WITHDRAWN',
    'DEAD_LETTERED', 'IN_DOUBT', 'GENERATION_FAILED', 'GENERATION_SUCCESS', 'BOOKS_FAILED', 'REGISTERED', 'CANCELLED'
);

-- What we know of a document at the portal.
create type irnflow.registration_state as enum ('READY', 'INTENT', 'UNKNOWN', 'ACCEPTED', 'REJECTED', 'CANCELLED');

-- Tenants ------------------------------------------------------------------------------------------------------------

create table irnflow.account (
    account_id bigint generated always as identity primary key,
    name       text not null unique,
    created_at timestamptz not null
);

create table irnflow.books (
    account_id bigint not null references irnflow.account,
    books      text not null, -- a name in the books file (docs/books.md)
    primary key (account_id, books)
);

create table irnflow.gstin (
    gstin          text primary key,
    account_id     bigint not null references irnflow.account,
    turnover_crore numeric(16, 2), -- aggregate annual turnover, crore rupees; null: not said
    lines_max      int check (lines_max between 1 and 5000), -- of a document, where the portal allows more; null: 1000
    kind           text not null default 'regular',
    stopped        text -- why nothing of it is sent, to whatever portal: too many refusals, say; null: it runs
);

-- What a GSTIN logs in with: once for each family of portals, which share logins.
create table irnflow.credentials (
    gstin           text not null references irnflow.gstin,
    family          text not null,
    username        text not null,
    client_id       text not null,
    sealed_secret   bytea not null, -- client secret, sealed (store/secrets.py)
    sealed_password bytea not null,
    stopped         text, -- why nobody logs in with them: a wrong password, say; null: they are good
    primary key (gstin, family)
);

create table irnflow.api_key (
    api_key_id bigint generated always as identity primary key,
    account_id bigint not null references irnflow.account,
    digest     bytea not null unique, -- sha256 of the key; keys are 256 random bits
    name       text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    once       boolean not null default false, -- a one-time token: gone when exchanged for a session
    admin      boolean not null default false, -- may decide what no look-up can (0007_doubt.sql)
    revoked_at timestamptz
);

-- irn_service --------------------------------------------------------------------------------------------------------

create table irnflow.batch (
    batch_id        bigint generated always as identity primary key,
    account_id      bigint not null references irnflow.account,
    batch_no        text not null,
    books           text not null,
    digest          bytea not null, -- of books and ids: the same number with other ids is a conflict
    idempotency_key text,
    size            int not null,
    released        int not null default 0, -- transactions with ordinal <= released have been sent to fetch_data_queue
    retry_of        bigint references irnflow.batch,
    last_seq        bigint not null default 0, -- of its events; websocket counts it up
    withdrawn_at    timestamptz,
    created_at      timestamptz not null,
    finished_at     timestamptz, -- each transaction has come to its end: the watchdog looks away
    unique (account_id, batch_no),
    unique (account_id, idempotency_key)
);
create index batch_newest on irnflow.batch (account_id, batch_id);
create index batch_unreleased on irnflow.batch (batch_id) where released < size;
create index batch_unfinished on irnflow.batch (batch_id) where finished_at is null;

create table irnflow.transaction (
    batch_id       bigint not null, -- written with its batch, by fill_batch: a foreign key costs a third of intake
    transaction_id text not null, -- the voucher id as sent
    ordinal        int not null, -- 1..size
    primary key (batch_id, transaction_id)
);
create unique index transaction_ordinal on irnflow.transaction (batch_id, ordinal);

-- When the dispatcher sent which ordinals; the watchdog counts from here.
create table irnflow.release (
    batch_id    bigint not null references irnflow.batch,
    first       int not null,
    last        int not null,
    released_at timestamptz not null,
    primary key (batch_id, first)
);

-- Transactions that the watchdog has sent again.
create table irnflow.resend (
    batch_id       bigint not null,
    transaction_id text not null,
    times          smallint not null,
    resent_at      timestamptz not null,
    primary key (batch_id, transaction_id)
);

-- websocket ----------------------------------------------------------------------------------------------------------

create table irnflow.event (
    batch_id       bigint not null,
    seq            bigint not null, -- 1, 2, 3 ... without a gap in its batch
    transaction_id text not null,
    status         irnflow.transaction_state not null,
    n              smallint not null,
    at             timestamptz not null,
    detail         jsonb not null,
    primary key (batch_id, seq),
    unique (batch_id, transaction_id, status, n)
) partition by range (batch_id);

-- A transaction without a row here is PROCESSING.
create table irnflow.state (
    batch_id       bigint not null,
    transaction_id text not null,
    state          irnflow.transaction_state not null,
    seq            bigint not null, -- of the event that moved it here
    at             timestamptz not null,
    detail         jsonb not null,
    primary key (batch_id, transaction_id)
) with (fillfactor = 80);

create table irnflow.batch_count (
    batch_id bigint not null,
    state    irnflow.transaction_state not null,
    n        bigint not null check (n >= 0),
    primary key (batch_id, state)
) with (fillfactor = 50);

-- error_desk ---------------------------------------------------------------------------------------------------------

create table irnflow.failure (
    batch_id       bigint not null,
    transaction_id text not null,
    stage          text not null, -- the service whose work failed
    failing        irnflow.transaction_state not null, -- where it puts its transaction
    account_id     bigint, -- null: a dead letter that could not be read
    cause          text not null, -- stable code that people group by
    says           text not null,
    fix            text not null,
    faults         jsonb not null,
    attempts       int not null,
    message        jsonb, -- what failed, as it stood in the queue
    raw            bytea, -- the same where it isn't JSON
    at             timestamptz not null,
    closed_at      timestamptz, -- the transaction has moved up since
    retried_in     bigint, -- the batch that took it up again
    primary key (batch_id, transaction_id, stage)
) partition by range (batch_id);

-- Dead letters that name no transaction, as they came.
create table irnflow.dead_letter (
    dead_letter_id bigint generated always as identity primary key,
    message_id     text not null,
    queue          text not null,
    reason         text not null,
    headers        jsonb not null,
    body           bytea not null,
    at             timestamptz not null,
    unique (message_id, queue)
);

-- registration -------------------------------------------------------------------------------------------------------

-- The document at the portal: one row a document, for ever.
create table irnflow.registration (
    irn            text primary key check (length(irn) = 64),
    account_id     bigint not null references irnflow.account,
    books          text not null,
    voucher_id     text not null,
    gstin          text not null, -- the seller's
    doc_typ        text not null,
    doc_no         text not null, -- upper case
    doc_dt         text not null, -- dd/mm/yyyy
    state          irnflow.registration_state not null,
    attempt        int not null, -- which payload: one more for each that differs from a rejected one
    sends          int not null default 0, -- calls begun for this document
    digest         bytea not null, -- sha256 of the current payload
    batch_id       bigint not null, -- the request whose payload is current
    transaction_id text not null,
    portal         text not null, -- where the call went, or will go
    bound          boolean not null default false, -- a call may have arrived there: it never goes to another portal
    next_at        timestamptz not null, -- READY: not before; UNKNOWN: the next look-up
    lease_until    timestamptz, -- INTENT: after it the answer counts as lost; UNKNOWN: a look-up is under way until then
    sent_at        timestamptz, -- of the last call
    not_there      smallint not null default 0, -- look-ups in a row that said so
    ack_no         text,
    ack_dt         text,
    signed_invoice text,
    signed_qr      text,
    verified       boolean, -- its signatures; null: not checked yet
    distrust       text, -- why what was signed is not to be believed, where verified is false
    updated_at     timestamptz not null
) with (fillfactor = 70);
-- A renumbered voucher cannot become a second document.
create unique index registration_voucher on irnflow.registration (account_id, books, voucher_id)
    where state in ('READY', 'INTENT', 'UNKNOWN', 'ACCEPTED');
create index registration_ready on irnflow.registration (gstin, batch_id, next_at) where state = 'READY';
create index registration_intent on irnflow.registration (lease_until) where state = 'INTENT';
create index registration_unknown on irnflow.registration (next_at) where state = 'UNKNOWN';

-- Who asked for it: one row a transaction that reached registration.
create table irnflow.registration_request (
    batch_id       bigint not null,
    transaction_id text not null,
    irn            text not null,
    account_id     bigint not null,
    batch_no       text not null,
    books          text not null,
    read_digest    text not null, -- of the rows as read from the books
    digest         bytea not null, -- sha256 of payload
    payload        bytea not null, -- INV-01 JSON, the exact bytes to send
    valid_on       date not null, -- the day in India on which it was found valid
    requested_at   timestamptz not null,
    verdict        jsonb, -- a failure that is for ever its own: refused by the portal, number used by another voucher
    told           irnflow.registration_state, -- the last that was told of it; null: nothing yet
    told_at        timestamptz,
    tell_at        timestamptz, -- there is something to tell from then on; null: there is not
    primary key (batch_id, transaction_id)
);
create index registration_request_irn on irnflow.registration_request (irn);
create index registration_request_tell on irnflow.registration_request (tell_at) where tell_at is not null;

-- Append-only ledger of everything said to the portal of a document, and what it answered.
create table irnflow.attempt (
    batch_id   bigint not null,
    irn        text not null,
    attempt    int not null,
    send       int not null,
    digest     bytea not null,
    what       text not null, -- 'send', 'lookup', 'verify', 'decision'
    outcome    text not null, -- send: INTENT, then ACCEPTED REJECTED UNLISTED UNKNOWN LIMITED REFUSED NOT_DONE THERE; lookup: THERE NOT_THERE NO_ANSWER
    portal     text not null,
    codes      text not null default '', -- the portal's, with commas
    says       text not null default '',
    faults     jsonb, -- of a refusal
    at         timestamptz not null
) partition by range (batch_id);
create index attempt_irn on irnflow.attempt (irn, at);

-- Whose turn it is: the round in which a GSTIN's documents of a batch were last leased. The row without a GSTIN is the
-- round that is on.
create table irnflow.turn (
    gstin    text not null,
    batch_id bigint not null,
    round    bigint not null,
    primary key (gstin, batch_id)
) with (fillfactor = 50);

-- How fast a GSTIN may call a portal, shared by all workers, and whether the portal answers it at all. The row without
-- a GSTIN is the portal as a whole, of which only the breaker counts.
create table irnflow.pace (
    portal     text not null,
    gstin      text not null,
    rate       float8, -- calls a second; null: no limit is known
    tokens     float8 not null default 1, -- calls that may begin at once
    recent     float8 not null default 0, -- calls of the last ten seconds or so
    filled_at  timestamptz not null, -- the three as of then
    sent_at    timestamptz, -- the last document that was sent
    slowed_at  timestamptz, -- the last 429 that counted
    held_until timestamptz, -- as Retry-After asked
    failures   int not null default 0, -- calls in a row without a readable answer
    failing    text[] not null default '{}', -- of whom, in the portal's own row
    opened     int not null default 0, -- how often in a row the breaker has opened
    open_until timestamptz, -- no call before, and then one to see; null: the breaker is shut
    probing    boolean not null default false, -- that one is under way
    primary key (portal, gstin)
) with (fillfactor = 50);

-- What people have stopped for a while.
create table irnflow.pause (
    what   text not null check (what in ('batch', 'gstin', 'portal')),
    key    text not null, -- batch_id, GSTIN, or the portal's name
    reason text not null,
    by     text not null,
    at     timestamptz not null,
    primary key (what, key)
);

-- Refusals of the portal, by day: it blocks taxpayers, and clients, who collect too many.
create table irnflow.portal_error (
    gstin     text not null,
    client_id text not null,
    day       date not null,
    n         int not null,
    primary key (gstin, client_id, day)
) with (fillfactor = 50);
create index portal_error_client on irnflow.portal_error (client_id, day);

-- One login for a GSTIN over all workers; `portal` is the family of portals that share it.
create table irnflow.portal_session (
    portal       text not null,
    gstin        text not null,
    sealed       bytea, -- token and session key, sealed
    expires_at   timestamptz,
    login_until  timestamptz, -- lease of whoever is logging in; or when the next may
    put_off      text, -- why the last login came to nothing for now
    failures     int not null default 0, -- logins in a row that did
    primary key (portal, gstin)
);

-- Partitions ---------------------------------------------------------------------------------------------------------

-- Makes room in the partitioned tables for a batch id: one partition for 10,000 batches.
create function irnflow.make_room(for_batch bigint) returns void language plpgsql as $$
declare
    size constant bigint := 10000;
    low bigint := for_batch / size * size;
    parent text;
begin
    foreach parent in array array['event', 'failure', 'attempt'] loop
        if to_regclass(format('irnflow.%I', parent || '_' || low)) is null then
            perform pg_advisory_xact_lock(hashtextextended('irnflow.make_room', 0)); -- one at a time
            execute format('create table if not exists irnflow.%I partition of irnflow.%I for values from (%s) to (%s)',
                           parent || '_' || low, parent, low, low + size);
        end if;
    end loop;
end $$;

select irnflow.make_room(0);

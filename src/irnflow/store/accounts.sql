-- Tenants, their books and GSTINs, and who may speak for them.

-- create_account: the account of this name, made if it isn't there
insert into irnflow.account (name, created_at) values ($1::text, $2::timestamptz)
on conflict (name) do update set name = excluded.name
returning account_id;

-- add_books: names books of an account; again changes nothing
insert into irnflow.books (account_id, books) values ($1::bigint, $2::text) on conflict do nothing;

-- books_of: the names of an account's books
select books from irnflow.books where account_id = $1::bigint order by books;

-- add_gstin: a GSTIN with its sealed credentials, new or renewed; no row when it is another account's
insert into irnflow.gstin as g
    (gstin, account_id, portal, username, client_id, sealed_secret, sealed_password, turnover_crore, kind)
values ($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::bytea, $7::bytea, $8::numeric, $9::text)
on conflict (gstin) do update
    set portal = excluded.portal, username = excluded.username, client_id = excluded.client_id,
        sealed_secret = excluded.sealed_secret, sealed_password = excluded.sealed_password,
        turnover_crore = excluded.turnover_crore, kind = excluded.kind,
        stopped = null -- new credentials deserve a new try
    where g.account_id = excluded.account_id
returning gstin;

-- credentials: what a GSTIN logs in with
select portal, username, client_id, sealed_secret, sealed_password from irnflow.gstin where gstin = $1::text;

-- issue_key: keeps the digest of a new key
insert into irnflow.api_key (account_id, digest, name, created_at, expires_at, once)
values ($1::bigint, $2::bytea, $3::text, $4::timestamptz, $5::timestamptz, $6::boolean);

-- exchange_token: uses up a one-time token and keeps the session key that takes its place; no row: it isn't valid
with used as (
    update irnflow.api_key set revoked_at = $3::timestamptz
    where digest = $1::bytea and once and revoked_at is null and (expires_at is null or expires_at > $3::timestamptz)
    returning account_id
)
insert into irnflow.api_key (account_id, digest, name, created_at, expires_at)
select account_id, $2::bytea, 'session', $3::timestamptz, $4::timestamptz from used
returning account_id;

-- account_of_key: whom a key speaks for, and until when this may be believed without asking again
select a.account_id, a.name, least(k.expires_at, $3::timestamptz) as good_until
from irnflow.api_key k join irnflow.account a using (account_id)
where k.digest = $1::bytea and not k.once and k.revoked_at is null
  and (k.expires_at is null or k.expires_at > $2::timestamptz);

-- revoke_key: a key that is no longer good
update irnflow.api_key set revoked_at = $2::timestamptz where digest = $1::bytea and revoked_at is null;

-- accounts: all of them
select account_id, name from irnflow.account order by name;

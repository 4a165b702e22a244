-- Tenants, their books and GSTINs, and who may speak for them.

-- create_account: the account of this name, made if it isn't there
insert into irnflow.account (name, created_at) values ($1::text, $2::timestamptz)
on conflict (name) do update set name = excluded.name
returning account_id;

-- add_books: names books of an account; again changes nothing
insert into irnflow.books (account_id, books) values ($1::bigint, $2::text) on conflict do nothing;

-- books_of: the names of an account's books
select books from irnflow.books where account_id = $1::bigint order by books;

-- add_gstin: a GSTIN with its sealed credentials for a family of portals, new or renewed; no row: it is another account's
with kept as (
    insert into irnflow.gstin as g (gstin, account_id, turnover_crore, kind)
    values ($1::text, $2::bigint, $8::numeric, coalesce($9::text, 'regular'))
    on conflict (gstin) do update
        set turnover_crore = coalesce(excluded.turnover_crore, g.turnover_crore), kind = coalesce($9::text, g.kind),
            stopped = null -- new credentials deserve a new try
        where g.account_id = excluded.account_id
    returning gstin
), login as (
    insert into irnflow.credentials (gstin, family, username, client_id, sealed_secret, sealed_password)
    select gstin, $3::text, $4::text, $5::text, $6::bytea, $7::bytea from kept
    on conflict (gstin, family) do update
        set username = excluded.username, client_id = excluded.client_id, sealed_secret = excluded.sealed_secret,
            sealed_password = excluded.sealed_password, stopped = null
), sessions as ( -- of the old ones; a login under way loses its right to keep what it gets
    delete from irnflow.portal_session s using kept where s.gstin = kept.gstin and s.portal = $3::text
)
select gstin from kept;

-- remove_credentials: those of a GSTIN for a family; REMOVED, or why not: NONE, ONLY, IN_DOUBT
select irnflow.credentials_remove($1::bigint, $2::text, $3::text, $4::text[]) as outcome;

-- gstins: those of an account, why each stands still that does, and their logins
select g.gstin, irnflow.why_stopped(g.gstin) as stopped, irnflow.logins(g.gstin)::text as logins, g.turnover_crore,
       g.lines_max
  from irnflow.gstin g
where g.account_id = $1::bigint and g.gstin > $2::text order by g.gstin limit $3::int;

-- gstin: one of an account
select g.gstin, irnflow.why_stopped(g.gstin) as stopped, irnflow.logins(g.gstin)::text as logins, g.turnover_crore,
       g.lines_max
  from irnflow.gstin g
where g.account_id = $1::bigint and g.gstin = $2::text;

-- set_gstin: what the rules must know of a GSTIN of an account; null leaves it as it stands; no row: it has no such
update irnflow.gstin
   set turnover_crore = coalesce($3::numeric, turnover_crore), lines_max = coalesce($4::int, lines_max)
 where account_id = $1::bigint and gstin = $2::text
returning gstin;

-- credentials: what a GSTIN logs in to a family of portals with
select family, username, client_id, sealed_secret, sealed_password from irnflow.credentials
where gstin = $1::text and family = $2::text;

-- families: those that somebody has credentials for, and how many GSTINs
select family, count(*) as gstins from irnflow.credentials group by family order by family;

-- sealed_credentials: the sealed secrets after those of a GSTIN for a family
select gstin, family, sealed_secret, sealed_password from irnflow.credentials
where (gstin, family) > ($1::text, $2::text) order by gstin, family limit $3::int;

-- reseal_credentials: secrets sealed anew, where they still are the ones that were read; gives how many
with renewed as (
    update irnflow.credentials g set sealed_secret = c.new_secret, sealed_password = c.new_password
    from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[])
        as c (gstin, family, old_secret, old_password, new_secret, new_password)
    where g.gstin = c.gstin and g.family = c.family
      and g.sealed_secret = c.old_secret and g.sealed_password = c.old_password
    returning 1
)
select count(*) as n from renewed;

-- sealed_sessions: the sealed sessions after a GSTIN of a family of portals
select portal, gstin, sealed from irnflow.portal_session
where sealed is not null and (portal, gstin) > ($1::text, $2::text) order by portal, gstin limit $3::int;

-- reseal_sessions: sessions sealed anew, where they still are the ones that were read; null ends one; gives how many
with renewed as (
    update irnflow.portal_session s
       set sealed = c.new_sealed, expires_at = case when c.new_sealed is not null then s.expires_at end
    from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) as c (portal, gstin, old_sealed, new_sealed)
    where s.portal = c.portal and s.gstin = c.gstin and s.sealed = c.old_sealed
    returning 1
)
select count(*) as n from renewed;

-- issue_key: keeps the digest of a new key
insert into irnflow.api_key (account_id, digest, name, created_at, expires_at, once, admin)
values ($1::bigint, $2::bytea, $3::text, $4::timestamptz, $5::timestamptz, $6::boolean, $7::boolean);

-- exchange_token: uses up a one-time token and keeps the session key that takes its place; no row: it isn't valid
with used as (
    update irnflow.api_key set revoked_at = $3::timestamptz
    where digest = $1::bytea and once and revoked_at is null and (expires_at is null or expires_at > $3::timestamptz)
    returning account_id, name, admin
)
insert into irnflow.api_key (account_id, digest, name, created_at, expires_at, admin)
select account_id, $2::bytea, 'session of ' || name, $3::timestamptz, $4::timestamptz, admin from used
returning account_id;

-- account_of_key: whom a key speaks for, and until when this may be believed without asking again
select a.account_id, a.name, k.name as speaker, k.admin, least(k.expires_at, $3::timestamptz) as good_until
from irnflow.api_key k join irnflow.account a using (account_id)
where k.digest = $1::bytea and not k.once and k.revoked_at is null
  and (k.expires_at is null or k.expires_at > $2::timestamptz);

-- revoke_key: a key that is no longer good
update irnflow.api_key set revoked_at = $2::timestamptz where digest = $1::bytea and revoked_at is null;

-- revoke_keys: those of an account and a name that are good; gives how many
with revoked as (
    update irnflow.api_key set revoked_at = $3::timestamptz
    where account_id = $1::bigint and name = $2::text and not once and revoked_at is null
      and (expires_at is null or expires_at > $3::timestamptz)
    returning 1
)
select count(*) as revoked from revoked;

-- summaries: all accounts, with their books, GSTINs and good keys
select a.name, array(select k.books from irnflow.books k where k.account_id = a.account_id order by k.books) as books,
       (select count(*) from irnflow.gstin g where g.account_id = a.account_id) as gstins,
       array(select distinct k.name from irnflow.api_key k
              where k.account_id = a.account_id and not k.once and k.revoked_at is null
                and (k.expires_at is null or k.expires_at > $1::timestamptz) order by k.name) as keys
from irnflow.account a order by a.name;

-- accounts: all of them
select account_id, name from irnflow.account order by name;

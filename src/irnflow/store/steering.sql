-- What people stop, let go on, and take back.

-- withdraw: a batch, as far as it is not sent; null: the account has no such batch
select irnflow.withdraw($1::bigint, $2::text, $3::timestamptz) as taken_back;

-- pause_batch: it stands still until it is resumed; no row: the account has no such batch
insert into irnflow.pause (what, key, reason, by, at)
select 'batch', b.batch_id::text, $3::text, $4::text, $5::timestamptz from irnflow.batch b
where b.account_id = $1::bigint and b.batch_no = $2::text
on conflict (what, key) do update set reason = excluded.reason, by = excluded.by
returning key;

-- resume_batch: it goes on; no row: the account has no such batch
with gone as (
    delete from irnflow.pause p using irnflow.batch b
    where p.what = 'batch' and p.key = b.batch_id::text and b.account_id = $1::bigint and b.batch_no = $2::text
)
select batch_id from irnflow.batch where account_id = $1::bigint and batch_no = $2::text;

-- pause_gstin: a GSTIN of the account; no row: it has no such
insert into irnflow.pause (what, key, reason, by, at)
select 'gstin', g.gstin, $3::text, $4::text, $5::timestamptz from irnflow.gstin g
where g.account_id = $1::bigint and g.gstin = $2::text
on conflict (what, key) do update set reason = excluded.reason, by = excluded.by
returning key;

-- resume_gstin: it goes on, also when it had stopped by itself, with its logins, or the one to $3; no row: no such
with gone as (
    delete from irnflow.pause p using irnflow.gstin g
    where p.what = 'gstin' and p.key = g.gstin and g.account_id = $1::bigint and g.gstin = $2::text
), resumed as (
    update irnflow.gstin g set stopped = null from irnflow.credentials c
    where g.account_id = $1::bigint and g.gstin = $2::text and c.gstin = g.gstin and c.family = coalesce($3::text, c.family)
    returning g.gstin
), logins as (
    update irnflow.credentials c set stopped = null from resumed
    where c.gstin = resumed.gstin and c.family = coalesce($3::text, c.family)
), sessions as ( -- a login that was refused is tried once more
    delete from irnflow.portal_session s using resumed
    where s.gstin = resumed.gstin and s.portal = coalesce($3::text, s.portal)
)
select gstin from resumed;

-- pause_portal: for everybody
insert into irnflow.pause (what, key, reason, by, at)
values ('portal', $1::text, $2::text, $3::text, $4::timestamptz)
on conflict (what, key) do update set reason = excluded.reason, by = excluded.by
returning key;

-- resume_portal: it is called again
delete from irnflow.pause where what = 'portal' and key = $1::text returning key;

-- standing: what stands still, and why
select p.what, coalesce(b.batch_no, p.key) as key, p.reason, p.by, p.at
from irnflow.pause p
left join irnflow.batch b on p.what = 'batch' and b.batch_id::text = p.key
left join irnflow.gstin g on p.what = 'gstin' and g.gstin = p.key
where p.what = 'portal' or coalesce(b.account_id, g.account_id) = $1::bigint
union all
select 'gstin', g.gstin, g.stopped, 'irnflow', null from irnflow.gstin g
where g.account_id = $1::bigint and g.stopped is not null
union all
select 'gstin', c.gstin, irnflow.why_no_login(c), 'irnflow', null from irnflow.gstin g join irnflow.credentials c using (gstin)
where g.account_id = $1::bigint and c.stopped is not null
order by 1, 2;

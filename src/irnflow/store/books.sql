-- gstins_of: the GSTINs that some accounts may sell under, with what the rules must know of each.
select account_id, gstin, turnover_crore, lines_max from irnflow.gstin where account_id = any($1::bigint[]);

-- registrations: what the portal has said of GSTINs; how they stand only if it said so since a time, for that changes.
select gstin, details->>'TxpType' as kind, case when fetched_at >= $2::timestamptz then details->>'Status' end as status,
       details->>'DtReg' as since, details->>'DtDReg' as until
  from irnflow.gstin_detail
 where gstin = any($1::text[]) and details is not null;

-- gstins_of: the GSTINs that some accounts may sell under, and the turnover behind each.
select account_id, gstin, turnover_crore from irnflow.gstin where account_id = any($1::bigint[]);

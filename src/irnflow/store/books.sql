-- gstins_of: the GSTINs that some accounts may sell under.
select account_id, gstin from irnflow.gstin where account_id = any($1::bigint[]);

-- Vouchers SYN-1, SYN-2 ...: copies of one voucher under numbers of their own.

insert into books.voucher (voucher_id, document_number, document_date, supply_type, reverse_charge, document_type, seller,
    buyer, place_of_supply, taxable_value, cgst, sgst, igst, other_charges, round_off, total_value)
with recursive n (i) as (select cast(:first as int) union all select i + 1 from n where i < cast(:last as int))
select 'SYN-' || i, 'SYN/' || i, document_date, supply_type, reverse_charge, document_type, seller,
    buyer, place_of_supply, taxable_value, cgst, sgst, igst, other_charges, round_off, total_value
from n cross join books.voucher
where voucher_id = :template
on conflict do nothing;

insert into books.line (voucher_id, line_no, description, is_service, hsn, quantity, unit, unit_price, gross_amount,
    discount, taxable_value, gst_rate, igst, cgst, sgst, total_value)
with recursive n (i) as (select cast(:first as int) union all select i + 1 from n where i < cast(:last as int))
select 'SYN-' || i, line_no, description, is_service, hsn, quantity, unit, unit_price, gross_amount,
    discount, taxable_value, gst_rate, igst, cgst, sgst, total_value
from n cross join books.line
where voucher_id = :template
on conflict do nothing;

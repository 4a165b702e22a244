"""The invoice as INV-01 version 1.1 shapes it, as values.

Field comments give the INV-01 name where it isn't the one in `field(name=...)`, and units.
Every field may be absent (None): what the books leave out is for `rules` to name, all at once,
rather than for the decoder to stop at. Unknown fields and wrong JSON types are refused.
Amounts are rupees, `Decimal`, never float. Dates stay text as INV-01 writes them, dd/mm/yyyy.
Source: NIC's schema text of INV-01 1.1; its table is `codes/inv01_fields.csv`.
"""

from decimal import Decimal

import msgspec
from msgspec import field


class _Section(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, rename="pascal"
):
    """A section of INV-01: Python names in snake case, INV-01's in Pascal case unless `name=` says else."""


class Transaction(_Section, frozen=True, kw_only=True):
    """TranDtls."""

    tax_sch: str | None = None  # GST; normalise fills it
    sup_typ: str | None = None  # B2B SEZWP SEZWOP EXPWP EXPWOP DEXP
    reg_rev: str | None = None  # Y: reverse charge
    ecm_gstin: str | None = None  # e-commerce operator
    igst_on_intra: str | None = None


class Document(_Section, frozen=True, kw_only=True):
    """DocDtls."""

    typ: str | None = None  # INV CRN DBN
    no: str | None = None
    dt: str | None = None  # dd/mm/yyyy


class Party(_Section, frozen=True, kw_only=True):
    """SellerDtls, BuyerDtls and ShipDtls; `pos` is the buyer's only."""

    gstin: str | None = None
    lgl_nm: str | None = None
    trd_nm: str | None = None
    pos: str | None = None  # place of supply: state code
    addr1: str | None = None
    addr2: str | None = None
    loc: str | None = None
    pin: int | None = None
    stcd: str | None = None
    ph: str | None = None
    em: str | None = None


class Dispatch(_Section, frozen=True, kw_only=True):
    """DispDtls."""

    nm: str | None = None
    addr1: str | None = None
    addr2: str | None = None
    loc: str | None = None
    pin: int | None = None
    stcd: str | None = None


class Batch(_Section, frozen=True, kw_only=True):
    """BchDtls of a line."""

    nm: str | None = None
    exp_dt: str | None = None
    wr_dt: str | None = None


class Attribute(_Section, frozen=True, kw_only=True):
    """AttribDtls of a line."""

    nm: str | None = None
    val: str | None = None


class Item(_Section, frozen=True, kw_only=True):
    """One line of ItemList."""

    sl_no: str | None = None
    prd_desc: str | None = None
    is_servc: str | None = None  # Y or N
    hsn_cd: str | None = None
    barcde: str | None = None
    bch_dtls: Batch | None = None
    qty: Decimal | None = None  # 3 decimals
    free_qty: Decimal | None = None
    unit: str | None = None  # UQC
    unit_price: Decimal | None = None  # 3 decimals
    tot_amt: Decimal | None = None
    discount: Decimal | None = None
    pre_tax_val: Decimal | None = None
    ass_amt: Decimal | None = None  # taxable value
    gst_rt: Decimal | None = None  # percent, the full rate
    igst_amt: Decimal | None = None
    cgst_amt: Decimal | None = None
    sgst_amt: Decimal | None = None
    ces_rt: Decimal | None = None
    ces_amt: Decimal | None = None
    ces_non_advl_amt: Decimal | None = None
    state_ces_rt: Decimal | None = None
    state_ces_amt: Decimal | None = None
    state_ces_non_advl_amt: Decimal | None = None
    oth_chrg: Decimal | None = None
    tot_item_val: Decimal | None = None
    ord_line_ref: str | None = None
    org_cntry: str | None = None
    prd_sl_no: str | None = None
    attrib_dtls: tuple[Attribute, ...] | None = None


class Totals(_Section, frozen=True, kw_only=True):
    """ValDtls."""

    ass_val: Decimal | None = None
    cgst_val: Decimal | None = None
    sgst_val: Decimal | None = None
    igst_val: Decimal | None = None
    ces_val: Decimal | None = None
    st_ces_val: Decimal | None = None
    discount: Decimal | None = None
    oth_chrg: Decimal | None = None
    rnd_off_amt: Decimal | None = None
    tot_inv_val: Decimal | None = None
    tot_inv_val_fc: Decimal | None = None  # in the currency of ExpDtls.ForCur


class Payment(_Section, frozen=True, kw_only=True):
    """PayDtls."""

    nm: str | None = None
    acc_det: str | None = None
    mode: str | None = None
    fin_ins_br: str | None = None
    pay_term: str | None = None
    pay_instr: str | None = None
    cr_trn: str | None = None
    dir_dr: str | None = None
    cr_day: int | None = None
    paid_amt: Decimal | None = None
    paymt_due: Decimal | None = None


class Period(_Section, frozen=True, kw_only=True):
    """RefDtls.DocPerdDtls."""

    inv_st_dt: str | None = None
    inv_end_dt: str | None = None


class Preceding(_Section, frozen=True, kw_only=True):
    """One of RefDtls.PrecDocDtls: the document a note refers to."""

    inv_no: str | None = None
    inv_dt: str | None = None
    oth_ref_no: str | None = None


class Contract(_Section, frozen=True, kw_only=True):
    """One of RefDtls.ContrDtls."""

    rec_adv_refr: str | None = None
    rec_adv_dt: str | None = None
    tend_refr: str | None = None
    contr_refr: str | None = None
    ext_refr: str | None = None
    proj_refr: str | None = None
    po_refr: str | None = field(default=None, name="PORefr")
    po_ref_dt: str | None = field(default=None, name="PORefDt")


class References(_Section, frozen=True, kw_only=True):
    """RefDtls."""

    inv_rm: str | None = None
    doc_perd_dtls: Period | None = None
    prec_doc_dtls: tuple[Preceding, ...] | None = None
    contr_dtls: tuple[Contract, ...] | None = None


class Attachment(_Section, frozen=True, kw_only=True):
    """One of AddlDocDtls."""

    url: str | None = None
    docs: str | None = None
    info: str | None = None


class Export(_Section, frozen=True, kw_only=True):
    """ExpDtls."""

    ship_b_no: str | None = field(default=None, name="ShipBNo")
    ship_b_dt: str | None = field(default=None, name="ShipBDt")
    port: str | None = None
    ref_clm: str | None = None
    for_cur: str | None = None
    cnt_code: str | None = None
    exp_duty: Decimal | None = None


class EwayBill(_Section, frozen=True, kw_only=True):
    """EwbDtls."""

    trans_id: str | None = None
    trans_name: str | None = None
    trans_mode: str | None = None
    distance: int | None = None  # km
    trans_doc_no: str | None = None
    trans_doc_dt: str | None = None
    veh_no: str | None = None
    veh_type: str | None = None


class Invoice(_Section, frozen=True, kw_only=True):
    """A whole INV-01 document: invoice, credit note or debit note."""

    version: str | None = None  # 1.1; normalise fills it
    tran_dtls: Transaction | None = None
    doc_dtls: Document | None = None
    seller_dtls: Party | None = None
    buyer_dtls: Party | None = None
    disp_dtls: Dispatch | None = None
    ship_dtls: Party | None = None
    item_list: tuple[Item, ...] = ()
    val_dtls: Totals | None = None
    pay_dtls: Payment | None = None
    ref_dtls: References | None = None
    addl_doc_dtls: tuple[Attachment, ...] | None = None
    exp_dtls: Export | None = None
    ewb_dtls: EwayBill | None = None

/** Every word that people read, in one place. */

import type { State } from "./states";

/** The states in the words of the design. */
export const STATE_WORDS: Record<State, string> = {
  PROCESSING: "Processing",
  DATA_FETCHED: "Data Fetched",
  VALIDATION_SUCCESS: "Validation Success",
  DATA_FETCH_FAILED: "Data Fetch Failed",
  VALIDATION_FAILED: "Validation Failed",
  WITHDRAWN: "Withdrawn",
  DEAD_LETTERED: "Needs an Operator",
  IN_DOUBT: "Checking with Portal",
  GENERATION_FAILED: "Generation Failed",
  GENERATION_SUCCESS: "E-Invoice Generated",
  BOOKS_FAILED: "Books Update Failed",
  REGISTERED: "E-Invoice Registered",
  CANCELLED: "Cancelled",
};

const number = new Intl.NumberFormat("en-IN");
const moment = new Intl.DateTimeFormat("en-IN", {
  timeZone: "Asia/Kolkata",
  day: "2-digit",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const day = new Intl.DateTimeFormat("en-IN", { timeZone: "Asia/Kolkata", dateStyle: "medium" });
const time = new Intl.DateTimeFormat("en-IN", {
  timeZone: "Asia/Kolkata",
  timeStyle: "medium",
  hour12: false,
});

export const count = (n: number): string => number.format(n);
/** Date and time as they are in India, wherever the reader sits. */
export const dateTime = (at: string): string => `${moment.format(new Date(at))} IST`;
/** The time when it was today, else the day. */
export function since(at: string, now = new Date()): string {
  const then = new Date(at);
  return day.format(then) === day.format(now) ? time.format(then) : day.format(then);
}
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;
const vouchers = (n: number): string => plural(n, "voucher", "vouchers");

export const text = {
  product: "irnflow",
  skip: "Skip to content",
  toLight: "Use light colours",
  toDark: "Use dark colours",
  retry: "Try again",
  close: "Close",
  copy: (what: string) => `Copy ${what}`,
  copied: "Copied",

  lamp: {
    connecting: "Connecting",
    live: "Live",
    reconnecting: "Reconnecting",
    "signed-out": "Signed out",
  },

  signIn: {
    title: "Sign in",
    lead: "Open the link that irnflow printed when it started, or paste its one-time token or an API key.",
    label: "One-time token or API key",
    submit: "Sign in",
    busy: "Signing in",
    usedLink: "This link has been used already, or is too old. Ask for a new one with: irnflow token",
    refused: "This is no valid token or key. A one-time token works once; get another with: irnflow token",
  },

  batches: {
    title: "Batches",
    none: "No batch yet",
    noneLead: "Paste the ids of some vouchers, and watch them being registered here.",
    more: "Show older batches",
    loading: "Loading the batches",
    summary: (size: number, settled: number) =>
      settled === size ? `${vouchers(size)}, all done` : `${count(settled)} of ${vouchers(size)} done`,
    retryOf: (batchNo: string) => `Again from ${batchNo}`,
    started: (at: string) => `Started ${dateTime(at)}`,
    books: (books: string) => `Books: ${books}`,
  },

  batch: {
    back: "All batches",
    loading: (loaded: number, size: number) => `Loading ${count(loaded)} of ${vouchers(size)}`,
    filter: "Show only one state",
    all: "All",
    empty: "No voucher is in this state now.",
    columns: { voucher: "Voucher", state: "State", says: "What there is to say", at: "Since" },
    table: (batchNo: string) => `Vouchers of batch ${batchNo}`,
    progress: (done: number, size: number) => `${count(done)} of ${count(size)} done`,
    registered: "Registered",
    failed: "To be mended",
    open: "Under way",
    ended: "Cancelled or withdrawn",
    notYet: "Loading",
  },

  voucher: {
    title: (id: string) => `Voucher ${id}`,
    close: "Close the voucher",
    irn: "IRN",
    ackNo: "Acknowledgement number",
    ackDt: "Acknowledged",
    faults: (n: number) => (n === 1 ? "One thing to mend" : `${count(n)} things to mend`),
    warnings: (n: number) => (n === 1 ? "One warning" : `${count(n)} warnings`),
    fix: "What to do:",
    portalCode: (code: string) => `Portal code ${code}`,
    wholeDocument: "The whole document",
    history: "History",
    noHistory: "Nothing has happened yet.",
  },

  newBatch: {
    open: "New batch",
    title: "New batch",
    ids: "Voucher ids",
    idsHint: "One a line, as they stand in your books. A column copied from a spreadsheet will do.",
    batchNo: "Batch number",
    batchNoHint:
      "Optional. Letters, digits, dots, underscores and hyphens; one is assigned when it is left empty.",
    books: "Books",
    booksHint: "Optional. Needed only when the account has several.",
    submit: (n: number) => (n === 0 ? "Register" : `Register ${vouchers(n)}`),
    cancel: "Cancel",
    twice: (n: number) => `${vouchers(n)} pasted twice: each is sent once.`,
    tooMany: (most: number) => `A batch holds at most ${count(most)} vouchers. Make several.`,
  },

  trouble: {
    title: "That did not work",
    offline: "irnflow doesn't answer. It is tried again by itself.",
    unknown: (status: number) => `irnflow answered with an error (${status}).`,
    noBatch: (batchNo: string) => `There is no batch ${batchNo} in this account.`,
  },
} as const;

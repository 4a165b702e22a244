/** The states of a transaction: how each looks, and what kind it is. Clients never rank them. */

import type { IconName } from "./icons";

export type State =
  | "PROCESSING"
  | "DATA_FETCHED"
  | "VALIDATION_SUCCESS"
  | "DATA_FETCH_FAILED"
  | "VALIDATION_FAILED"
  | "WITHDRAWN"
  | "DEAD_LETTERED"
  | "IN_DOUBT"
  | "GENERATION_FAILED"
  | "GENERATION_SUCCESS"
  | "BOOKS_FAILED"
  | "REGISTERED"
  | "CANCELLED";

export type Counts = Partial<Record<State, number>>;

/** `open`: more comes by itself; `failed`: a person has to act; `registered` and `ended`: that's it. */
type Kind = "open" | "failed" | "registered" | "ended";

interface Look {
  icon: IconName;
  /** A Mantine colour; the icon and the words say the same without it. */
  colour: string;
  kind: Kind;
}

/** In the order of the bar and the filters: done, to be mended, then what is under way, the furthest first. */
export const STATES: Record<State, Look> = {
  REGISTERED: { icon: "checkFilled", colour: "green", kind: "registered" },
  CANCELLED: { icon: "ban", colour: "gray", kind: "ended" },
  WITHDRAWN: { icon: "minus", colour: "gray", kind: "ended" },
  BOOKS_FAILED: { icon: "bookOff", colour: "orange", kind: "failed" },
  GENERATION_FAILED: { icon: "cross", colour: "red", kind: "failed" },
  VALIDATION_FAILED: { icon: "listOff", colour: "red", kind: "failed" },
  DATA_FETCH_FAILED: { icon: "searchOff", colour: "red", kind: "failed" },
  DEAD_LETTERED: { icon: "wrench", colour: "grape", kind: "failed" },
  IN_DOUBT: { icon: "question", colour: "yellow", kind: "open" },
  GENERATION_SUCCESS: { icon: "stamp", colour: "teal", kind: "open" },
  VALIDATION_SUCCESS: { icon: "list", colour: "cyan", kind: "open" },
  DATA_FETCHED: { icon: "inbox", colour: "blue", kind: "open" },
  PROCESSING: { icon: "clock", colour: "gray", kind: "open" },
};

export const ORDER = Object.keys(STATES) as State[];

/** How many transactions stand in states of a kind. */
export function sum(counts: Counts, kind: Kind): number {
  return ORDER.reduce((n, state) => (STATES[state].kind === kind ? n + (counts[state] ?? 0) : n), 0);
}

/** irnflow's HTTP API as the console uses it: typed answers, and problems (RFC 9457) as one kind of error. */

import type { Counts, State } from "./states";
import { text } from "./strings";

export interface Session {
  account: string;
  /** null: the same origin */
  websocket_url: string | null;
}

export interface Batch {
  batch_no: string;
  books: string;
  size: number;
  counts: Counts;
  last_seq: number;
  created_at: string;
  retry_of: string | null;
}

export interface Fault {
  code: string;
  path: string;
  says: string;
  fix?: string;
  portal_code?: string | null;
  severity?: "refused" | "warning";
}

export interface Detail {
  says?: string;
  fix?: string;
  irn?: string;
  ack_no?: string;
  ack_dt?: string;
  faults?: Fault[];
}

export interface Transaction {
  transaction_id: string;
  state: State;
  at: string;
  detail: Detail;
}

export interface History {
  transaction_id: string;
  state: State;
  events: { seq: number; status: State; at: string; detail: Detail }[];
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** What is wrong, and where in the request (RFC 6901). */
export interface Wrong {
  pointer: string;
  detail: string;
}

/** What went wrong, in words for people. `status` is 0 when nobody answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly places: Wrong[] = [],
  ) {
    super(detail);
  }
}

const PAGE = 500; // transactions; the most that the API gives
const KEY = "irnflow.key";

/** The pasted API key, kept for this tab only; empty: the session cookie speaks for us, which no script can read. */
export const pastedKey = (): string => sessionStorage.getItem(KEY) ?? "";

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** Sign in by a one-time token. Gives false when it is none (any more). */
export async function exchange(token: string): Promise<boolean> {
  try {
    await ask<Session>("POST", "/session", { token });
    return true;
  } catch (problem) {
    if (problem instanceof Problem && (problem.status === 401 || problem.status === 422)) return false;
    throw problem;
  }
}

/** Sign in by an API key. Gives false when it is none. */
export async function signInWith(key: string): Promise<boolean> {
  sessionStorage.setItem(KEY, key);
  const session = await currentSession();
  if (session === null) forget();
  return session !== null;
}

/** Who is signed in; null: nobody. */
export async function currentSession(): Promise<Session | null> {
  try {
    return await ask<Session>("GET", "/session");
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401) return null;
    throw problem;
  }
}

export const batches = (cursor: string | null): Promise<Page<Batch>> =>
  ask("GET", `/batches?${query({ limit: "25", cursor })}`);

export const batch = (batchNo: string): Promise<Batch> =>
  ask("GET", `/batches/${encodeURIComponent(batchNo)}`);

export const transactions = (batchNo: string, cursor: string | null): Promise<Page<Transaction>> =>
  ask(
    "GET",
    `/batches/${encodeURIComponent(batchNo)}/transactions?${query({ limit: String(PAGE), cursor })}`,
  );

export const history = (batchNo: string, transactionId: string): Promise<History> =>
  ask("GET", `/batches/${encodeURIComponent(batchNo)}/history?${query({ transaction_id: transactionId })}`);

/** Send vouchers; the same `once` again is the same request, so that a lost answer makes no second batch. */
export async function submit(ids: string[], batchNo: string, books: string, once: string): Promise<string> {
  const body = { voucher_ids: ids, ...(batchNo && { batch_no: batchNo }), ...(books && { books }) };
  const accepted = await ask<{ batch_no: string }>("POST", "/batches", body, { "Idempotency-Key": once });
  return accepted.batch_no;
}

function query(values: Record<string, string | null>): string {
  return new URLSearchParams(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== null),
  ).toString();
}

async function ask<T>(
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (pastedKey()) headers.Authorization = `Bearer ${pastedKey()}`;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, text.trouble.offline);
  }
  if (response.ok) return (await response.json()) as T;
  throw await problemOf(response);
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const told = (await response.json()) as {
      detail?: string;
      errors?: Wrong[];
    };
    return new Problem(response.status, told.detail ?? text.trouble.unknown(response.status), told.errors);
  } catch {
    return new Problem(response.status, text.trouble.unknown(response.status));
  }
}

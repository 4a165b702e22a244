/**
 * One batch as the page holds it: how it stands, and all its vouchers, kept up to date by what is pushed.
 *
 * Vouchers are loaded page by page over HTTP while deltas arrive. A page that was asked for before a delta came may
 * know less than the delta; so what a delta has touched since is not overwritten. What comes later comes as a delta.
 */

import { type Batch, batch, type Detail, type Problem, transactions } from "./api";
import type { Delta, Live, Snapshot, Watcher } from "./live";
import type { Counts, State } from "./states";

export interface Voucher {
  state: State;
  at: string;
  detail: Detail;
  /** The tick of the delta that told it; 0: a page did. */
  tick: number;
}

const TOLD_EVERY_MS = 60; // at most so often the page is drawn anew

export class Vouchers implements Watcher {
  readonly batchNo: string;
  head: Batch | null = null;
  counts: Counts = {};
  seq = 0;
  /** The ids in the order of the request, as far as they are loaded. */
  readonly order: string[] = [];
  readonly byId = new Map<string, Voucher>();
  problem: Problem | null = null;
  /** Rises with every change. */
  version = 0;
  #tick = 0;
  #round = 0; // of loading
  #over = false;
  #due: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(batchNo: string) {
    this.batchNo = batchNo;
  }

  /** Load and follow the batch until the returned function is called. */
  follow(live: Live): () => void {
    let leave = () => {};
    const start = async () => {
      const head = await this.#persist(() => batch(this.batchNo));
      if (head === undefined) return;
      this.head = head;
      this.counts = head.counts;
      this.seq = head.last_seq;
      leave = live.watch(this.batchNo, this);
      await this.#load();
    };
    void start();
    return () => {
      this.#over = true;
      leave();
    };
  }

  take(frame: Snapshot | Delta): void {
    this.#tick += 1;
    const known = this.seq;
    this.counts = frame.counts;
    this.seq = frame.seq;
    if (frame.type === "delta")
      for (const event of frame.events) this.#put(event.transaction_id, event, this.#tick);
    else if (frame.seq !== known) void this.#load(); // more has happened than was told one by one
    this.#changed();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #load(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    let cursor: string | null = null;
    let place = 0;
    do {
      const since: number = this.#tick;
      const page = await this.#persist(() => transactions(this.batchNo, cursor));
      if (page === undefined || round !== this.#round) return;
      for (const { transaction_id, ...told } of page.items) {
        this.order[place++] = transaction_id;
        if ((this.byId.get(transaction_id)?.tick ?? 0) <= since) this.#put(transaction_id, told, 0);
      }
      this.#changed();
      cursor = page.next;
    } while (cursor !== null);
  }

  /** Ask again and again while nobody answers; undefined: refused, or nobody looks any more. */
  async #persist<T>(ask: () => Promise<T>): Promise<T | undefined> {
    while (!this.#over) {
      try {
        const answer = await ask();
        if (this.problem) {
          this.problem = null;
          this.#changed();
        }
        return answer;
      } catch (caught) {
        this.problem = caught as Problem;
        this.#changed();
        if (this.problem.status > 0 && this.problem.status < 500) return undefined;
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
    return undefined;
  }

  #put(id: string, told: { state: State; at: string; detail: Detail }, tick: number): void {
    this.byId.set(id, { state: told.state, at: told.at, detail: told.detail, tick });
  }

  #changed(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.version += 1;
      for (const listener of this.#listeners) listener();
    }, TOLD_EVERY_MS);
  }
}

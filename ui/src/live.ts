/**
 * The WebSocket: one connection for the page, made anew for ever, and each batch resumed after the last seq it has.
 *
 * Frames are told in the docstring of the service's `frames.py`.
 */

import type { Detail, Session } from "./api";
import type { Counts, State } from "./states";

export interface LiveEvent {
  seq: number;
  transaction_id: string;
  status: State;
  state: State;
  at: string;
  detail: Detail;
}

export interface Snapshot {
  type: "snapshot";
  batch_no: string;
  seq: number;
  size: number;
  counts: Counts;
}

export interface Delta {
  type: "delta";
  batch_no: string;
  from: number;
  seq: number;
  counts: Counts;
  events: LiveEvent[];
}

interface Failure {
  type: "error";
  batch_no?: string;
  detail: string;
}

export type Lamp = "connecting" | "live" | "reconnecting" | "signed-out";

/** Who watches one batch. */
export interface Watcher {
  /** The last seq it has; 0: none. */
  readonly seq: number;
  take(frame: Snapshot | Delta): void;
}

const CLOSE_SIGN_IN = 4401;
const RETRY_FIRST_MS = 300;
const RETRY_MOST_MS = 5_000;

export class Live {
  lamp: Lamp = "connecting";
  readonly #address: string;
  readonly #key: string;
  readonly #watchers = new Map<string, Watcher>();
  readonly #listeners = new Set<() => void>();
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause = RETRY_FIRST_MS;

  constructor(address: string, key: string) {
    this.#address = address;
    this.#key = key;
    window.addEventListener("online", this.#now);
    window.addEventListener("pagehide", () => this.#socket?.close());
    this.#connect();
  }

  /** Show a batch to a watcher until the returned function is called. One watcher a batch. */
  watch(batchNo: string, watcher: Watcher): () => void {
    this.#watchers.set(batchNo, watcher);
    this.#subscribe(batchNo, watcher);
    return () => {
      this.#watchers.delete(batchNo);
      this.#say({ type: "unsubscribe", batch_no: batchNo });
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  close(): void {
    clearTimeout(this.#retry);
    window.removeEventListener("online", this.#now);
    this.#socket?.close();
    this.#socket = null;
  }

  #connect(): void {
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#pause = RETRY_FIRST_MS;
      if (this.#key) this.#say({ type: "auth", key: this.#key });
      for (const [batchNo, watcher] of this.#watchers) this.#subscribe(batchNo, watcher);
      this.#turn("live");
    };
    socket.onmessage = (message) =>
      this.#take(JSON.parse(message.data as string) as Snapshot | Delta | Failure);
    socket.onclose = (closed) => {
      if (this.#socket !== socket) return;
      this.#turn(closed.code === CLOSE_SIGN_IN ? "signed-out" : "reconnecting");
      if (closed.code !== CLOSE_SIGN_IN) this.#later();
    };
  }

  #later(): void {
    this.#retry = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random()));
    this.#pause = Math.min(2 * this.#pause, RETRY_MOST_MS);
  }

  /** The network is back: don't wait for the next try. */
  #now = (): void => {
    if (this.lamp !== "reconnecting") return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  #take(frame: Snapshot | Delta | Failure): void {
    if (frame.type === "error") {
      console.warn(frame.detail);
      return;
    }
    const watcher = this.#watchers.get(frame.batch_no);
    if (watcher === undefined) return;
    if (frame.type === "delta" && frame.from > watcher.seq + 1) this.#subscribe(frame.batch_no, watcher);
    else watcher.take(frame);
  }

  #subscribe(batchNo: string, watcher: Watcher): void {
    this.#say({ type: "subscribe", batch_no: batchNo, after: watcher.seq });
  }

  #say(frame: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #turn(lamp: Lamp): void {
    this.lamp = lamp;
    for (const listener of this.#listeners) listener();
  }
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Where the WebSocket is. On loopback under the page's own name, for the cookie belongs to that name. */
export function addressOf(session: Session, page: Location = location): string {
  const url = new URL(session.websocket_url ?? "/api/v1/ws", page.href);
  if (url.pathname === "/") url.pathname = "/api/v1/ws";
  url.protocol = url.protocol.replace("http", "ws");
  if (LOOPBACK.includes(url.hostname) && LOOPBACK.includes(page.hostname)) url.hostname = page.hostname;
  return url.href;
}

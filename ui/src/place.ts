/** Where the reader is, as the fragment of the address: a reload or a shared link comes back to the same place. */

import { useMemo, useSyncExternalStore } from "react";
import { STATES, type State } from "./states";

export interface Place {
  /** null: the list of batches */
  batchNo: string | null;
  state: State | null;
  voucher: string | null;
}

const HOME: Place = { batchNo: null, state: null, voucher: null };

export function read(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [room, batchNo] = path.split("/");
  if (room !== "batches" || !batchNo) return HOME;
  const values = new URLSearchParams(query);
  const state = values.get("state");
  return {
    batchNo: decodeURIComponent(batchNo),
    state: state !== null && state in STATES ? (state as State) : null,
    voucher: values.get("voucher"),
  };
}

export function write(place: Partial<Place>): string {
  if (!place.batchNo) return "#/";
  const values = new URLSearchParams();
  if (place.state) values.set("state", place.state);
  if (place.voucher) values.set("voucher", place.voucher);
  const query = values.size ? `?${values}` : "";
  return `#/batches/${encodeURIComponent(place.batchNo)}${query}`;
}

/** Change what is shown of the same batch, without a step for the back button. */
export function adjust(place: Place): void {
  history.replaceState(null, "", write(place));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(watchHash, () => location.hash);
  return useMemo(() => read(hash), [hash]);
}

function watchHash(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

/** The one-time token of the console's link, taken out of the address (`#token=` or `?token=`); "" when it has none. */
export function takeToken(): string {
  const token = tokenIn(location.hash) || tokenIn(location.search);
  if (token) history.replaceState(null, "", location.pathname);
  return token;
}

/** A link that is opened where the console stands already changes only the fragment: begin anew with it. */
export function heedLinks(): void {
  window.addEventListener("hashchange", () => tokenIn(location.hash) && location.reload());
}

const tokenIn = (part: string): string => new URLSearchParams(part.slice(1)).get("token") ?? "";

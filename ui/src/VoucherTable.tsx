/** The vouchers of a batch: only the rows in sight are drawn, so a hundred thousand cost what thirty do. */

import { Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, useEffect, useRef, useState } from "react";
import { StateWords } from "./StateWords";
import type { State } from "./states";
import { since, text } from "./strings";
import type { Voucher, Vouchers } from "./vouchers";

const NARROW = "(max-width: 48em)"; // these three as in console.css
const ROW_PX = 44;
const NARROW_ROW_PX = 62; // what there is to say stands below

interface Table {
  vouchers: Vouchers;
  size: number;
  state: State | null;
  onOpen: (id: string) => void;
}

export function VoucherTable({ vouchers, size, state, onOpen }: Table) {
  const scroll = useRef<HTMLDivElement>(null);
  const wanted = useRef<number | null>(null);
  const [active, setActive] = useState(0); // the row that the Tab key reaches
  const ids =
    state === null ? vouchers.order : vouchers.order.filter((id) => vouchers.byId.get(id)?.state === state);
  const rows = state === null ? size : ids.length;
  const reached = Math.min(active, Math.max(rows - 1, 0));
  const rowPx = useMediaQuery(NARROW) ? NARROW_ROW_PX : ROW_PX;
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height stand elsewhere
  useEffect(() => virtual.measure(), [rowPx]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list, seen from its top
  useEffect(() => {
    setActive(0);
    scroll.current?.scrollTo({ top: 0 });
  }, [state]);

  // The row that a key went to takes the focus as soon as it is drawn and loaded.
  useEffect(() => {
    const button = scroll.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] button`);
    if (wanted.current === null || !button) return;
    wanted.current = null;
    button.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const to = step(event.key, reached, rows, Math.floor((scroll.current?.clientHeight ?? 0) / rowPx));
    if (to === null) return;
    event.preventDefault();
    setActive(to);
    virtual.scrollToIndex(to);
    wanted.current = to;
  };

  const { columns } = text.batch;
  return (
    <div
      className="table"
      role="table"
      aria-label={text.batch.table(vouchers.batchNo)}
      aria-rowcount={rows + 1}
    >
      <div role="rowgroup">
        <div className="head" role="row" aria-rowindex={1}>
          <span role="columnheader">{columns.voucher}</span>
          <span role="columnheader">{columns.state}</span>
          <span role="columnheader" className="says">
            {columns.says}
          </span>
          <span role="columnheader" className="at">
            {columns.at}
          </span>
        </div>
      </div>
      {/* The rows themselves take the focus. */}
      <div className="scroll" ref={scroll} role="rowgroup" onKeyDown={onKeyDown}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const id = ids[index];
            return (
              <Row
                key={index}
                index={index}
                start={start}
                id={id}
                voucher={id === undefined ? undefined : vouchers.byId.get(id)}
                reached={index === reached}
                onOpen={onOpen}
              />
            );
          })}
        </div>
        {rows === 0 && (
          <div className="void">
            <Text className="quiet">{text.batch.empty}</Text>
          </div>
        )}
      </div>
    </div>
  );
}

interface OneRow {
  index: number;
  start: number;
  id: string | undefined;
  voucher: Voucher | undefined;
  reached: boolean;
  onOpen: (id: string) => void;
}

const Row = memo(function Row({ index, start, id, voucher, reached, onOpen }: OneRow) {
  const place = { transform: `translateY(${start}px)` };
  if (id === undefined || voucher === undefined) {
    return (
      <div className="row" role="row" aria-rowindex={index + 2} style={place}>
        <span role="cell" className="quiet">
          {text.batch.notYet}
        </span>
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it is for the keyboard
    <div
      className="row"
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      style={place}
      onClick={() => onOpen(id)}
    >
      <span role="cell" className="clip">
        <button type="button" tabIndex={reached ? 0 : -1} className="clip">
          {id}
        </button>
      </span>
      <span role="cell">
        <StateWords state={voucher.state} />
      </span>
      <span role="cell" className="says clip quiet">
        {voucher.detail.says || voucher.detail.irn}
      </span>
      <span role="cell" className="at quiet">
        {since(voucher.at)}
      </span>
    </div>
  );
});

/** Which row a key goes to; null: it is no such key. */
function step(key: string, from: number, rows: number, page: number): number | null {
  const to: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: rows - 1,
  };
  const place = to[key];
  return place === undefined ? null : Math.max(0, Math.min(rows - 1, place));
}

/** One batch, live. */

import { Alert, Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Icon } from "./icons";
import type { Live } from "./live";
import { adjust, type Place } from "./place";
import { Progress, StateWords } from "./StateWords";
import { type Counts, ORDER, type State, sum } from "./states";
import { count, text } from "./strings";
import { VoucherDetail } from "./VoucherDetail";
import { VoucherTable } from "./VoucherTable";
import { Vouchers } from "./vouchers";

export function BatchPage({ place, live }: { place: Place; live: Live }) {
  const batchNo = place.batchNo ?? "";
  const vouchers = useVouchers(batchNo, live);
  const { head, counts } = vouchers;
  const loaded = vouchers.order.length;

  useEffect(() => {
    document.title = `${batchNo} · ${text.product}`;
  }, [batchNo]);

  return (
    <Stack gap="md">
      <div>
        <Anchor href="#/" size="sm" display="inline-flex" style={{ alignItems: "center", gap: 4 }}>
          <Icon name="left" size={16} />
          {text.batch.back}
        </Anchor>
        <Group justify="space-between" align="end" gap="xs">
          <Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
            {batchNo}
          </Title>
          {head && (
            <Text size="sm" className="quiet">
              {head.retry_of && `${text.batches.retryOf(head.retry_of)} · `}
              {text.batches.books(head.books)} · {text.batches.started(head.created_at)}
            </Text>
          )}
        </Group>
      </div>
      {vouchers.problem && (
        <Alert color="orange">
          {vouchers.problem.status === 404 ? text.trouble.noBatch(batchNo) : vouchers.problem.message}
        </Alert>
      )}
      {head && (
        <>
          <Figures counts={counts} />
          <Progress counts={counts} size={head.size} />
          <Filters
            counts={counts}
            size={head.size}
            chosen={place.state}
            onChoose={(state) => adjust({ ...place, state })}
          />
          <VoucherTable
            vouchers={vouchers}
            size={head.size}
            state={place.state}
            onOpen={(voucher) => adjust({ ...place, voucher })}
          />
          {loaded < head.size && (
            <Text size="sm" className="quiet" aria-live="polite">
              {text.batch.loading(loaded, head.size)}
            </Text>
          )}
        </>
      )}
      <VoucherDetail
        batchNo={batchNo}
        id={place.voucher}
        now={place.voucher === null ? undefined : vouchers.byId.get(place.voucher)}
        onClose={() => adjust({ ...place, voucher: null })}
      />
    </Stack>
  );
}

/** The batch, followed as long as the page stands; drawn anew when it has changed. */
function useVouchers(batchNo: string, live: Live): Vouchers {
  const [vouchers] = useState(() => new Vouchers(batchNo)); // the page is another one for another batch
  useEffect(() => vouchers.follow(live), [vouchers, live]);
  useSyncExternalStore(vouchers.subscribe, () => vouchers.version);
  return vouchers;
}

function Figures({ counts }: { counts: Counts }) {
  const ended = sum(counts, "ended");
  const figures: [string, number][] = [
    [text.batch.registered, sum(counts, "registered")],
    [text.batch.failed, sum(counts, "failed")],
    [text.batch.open, sum(counts, "open")],
  ];
  if (ended > 0) figures.push([text.batch.ended, ended]);
  return (
    <dl className="figures">
      {figures.map(([words, n]) => (
        <div key={words}>
          <dt>{words}</dt>
          <dd>{count(n)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface Choice {
  counts: Counts;
  size: number;
  chosen: State | null;
  onChoose: (state: State | null) => void;
}

function Filters({ counts, size, chosen, onChoose }: Choice) {
  const shown = useMemo(() => ORDER.filter((state) => counts[state] || state === chosen), [counts, chosen]);
  return (
    <fieldset className="filters" aria-label={text.batch.filter}>
      <button type="button" className="filter" aria-pressed={chosen === null} onClick={() => onChoose(null)}>
        {text.batch.all} <b>{count(size)}</b>
      </button>
      {shown.map((state) => (
        <button
          type="button"
          className="filter"
          key={state}
          aria-pressed={chosen === state}
          onClick={() => onChoose(chosen === state ? null : state)}
        >
          <StateWords state={state} /> <b>{count(counts[state] ?? 0)}</b>
        </button>
      ))}
    </fieldset>
  );
}

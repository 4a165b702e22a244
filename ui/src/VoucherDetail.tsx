/** One voucher: where it stands, what is to be mended, and all that happened to it. */

import { ActionIcon, Alert, Drawer, Stack, Text, Title } from "@mantine/core";
import { useEffect, useState } from "react";
import { type Detail, type Fault, type History, history, type Problem } from "./api";
import { Icon } from "./icons";
import { StateWords } from "./StateWords";
import { dateTime, text } from "./strings";
import type { Voucher } from "./vouchers";

interface Shown {
  batchNo: string;
  /** null: none is open */
  id: string | null;
  /** Where it stands, when it is loaded. */
  now: Voucher | undefined;
  onClose: () => void;
}

export function VoucherDetail({ batchNo, id, now, onClose }: Shown) {
  const { past, problem } = useHistory(batchNo, id, now?.at);
  const state = now?.state ?? past?.state;
  const told = (past?.events ?? []).map((event) => event.detail).reverse(); // the last first
  const detail = now?.detail ?? told[0] ?? {};
  return (
    <Drawer
      opened={id !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={<Text fw={600}>{id !== null && text.voucher.title(id)}</Text>}
      closeButtonProps={{ "aria-label": text.voucher.close }}
    >
      <Stack gap="lg">
        {state && <StateWords state={state} />}
        {detail.says && <Text>{detail.says}</Text>}
        {detail.fix && <Fix words={detail.fix} />}
        <Facts detail={[detail, ...told].find((each) => each.irn) ?? {}} />
        <Faults faults={detail.faults ?? []} />
        {problem && <Alert color="orange">{problem.message}</Alert>}
        {past && <Steps past={past} />}
      </Stack>
    </Drawer>
  );
}

function Facts({ detail }: { detail: Detail }) {
  if (!detail.irn) return null;
  return (
    <dl className="facts">
      <div>
        <dt>{text.voucher.irn}</dt>
        <dd>
          <span className="mono">{detail.irn}</span>
          <Copy value={detail.irn} what={text.voucher.irn} />
        </dd>
      </div>
      {detail.ack_no && (
        <div>
          <dt>{text.voucher.ackNo}</dt>
          <dd className="mono">{detail.ack_no}</dd>
        </div>
      )}
      {detail.ack_dt && (
        <div>
          <dt>{text.voucher.ackDt}</dt>
          <dd>{detail.ack_dt} IST</dd>
        </div>
      )}
    </dl>
  );
}

function Copy({ value, what }: { value: string; what: string }) {
  const [copied, setCopied] = useState(false);
  if (!navigator.clipboard) return null; // only over TLS, or on this machine
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      onClick={copy}
      aria-label={copied ? text.copied : text.copy(what)}
    >
      <Icon name={copied ? "check" : "copy"} />
    </ActionIcon>
  );
}

function Faults({ faults }: { faults: Fault[] }) {
  const refused = faults.filter((fault) => fault.severity !== "warning");
  const warnings = faults.filter((fault) => fault.severity === "warning");
  return (
    <>
      {refused.length > 0 && <FaultList words={text.voucher.faults(refused.length)} faults={refused} />}
      {warnings.length > 0 && <FaultList words={text.voucher.warnings(warnings.length)} faults={warnings} />}
    </>
  );
}

function FaultList({ words, faults }: { words: string; faults: Fault[] }) {
  return (
    <section>
      <Title order={2} size="h5" mb="xs">
        {words}
      </Title>
      <ul className="plain">
        {faults.map((fault) => (
          <li key={`${fault.code} ${fault.path}`} className="fault" data-severity={fault.severity}>
            <Text fw={500}>{fault.says}</Text>
            {fault.fix && <Fix words={fault.fix} />}
            <Text size="sm" mt={6} className="quiet mono">
              {[fault.path || text.voucher.wholeDocument, fault.code, portal(fault)]
                .filter(Boolean)
                .join(" · ")}
            </Text>
          </li>
        ))}
      </ul>
    </section>
  );
}

const Fix = ({ words }: { words: string }) => (
  <Text mt={4}>
    <b>{text.voucher.fix}</b> {words}
  </Text>
);

const portal = (fault: Fault): string =>
  fault.portal_code ? text.voucher.portalCode(fault.portal_code) : "";

function Steps({ past }: { past: History }) {
  return (
    <section>
      <Title order={2} size="h5" mb="xs">
        {text.voucher.history}
      </Title>
      {past.events.length === 0 && <Text className="quiet">{text.voucher.noHistory}</Text>}
      <ol className="steps">
        {past.events.map((event) => (
          <li key={event.seq}>
            <StateWords state={event.status} />
            <Text component="time" size="sm" className="quiet" dateTime={event.at}>
              {dateTime(event.at)}
            </Text>
            {event.detail.says && (
              <Text size="sm" className="words quiet">
                {event.detail.says}
              </Text>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What happened to a voucher; asked for again when it moves while somebody looks. */
function useHistory(batchNo: string, id: string | null, movedAt: string | undefined) {
  const [past, setPast] = useState<History | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: movedAt is when to ask again
  useEffect(() => {
    let over = false;
    if (id === null) return;
    history(batchNo, id).then(
      (found) => {
        if (over) return;
        setPast(found);
        setProblem(null);
      },
      (caught: Problem) => over || setProblem(caught),
    );
    return () => {
      over = true;
    };
  }, [batchNo, id, movedAt]);
  return { past: past?.transaction_id === id ? past : null, problem };
}

/** All batches of the account, newest first, refreshed while somebody looks. */

import { Alert, Button, Center, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { type Batch, batches, type Problem } from "./api";
import { Icon } from "./icons";
import { NewBatch } from "./NewBatch";
import { write } from "./place";
import { Progress, StateWords } from "./StateWords";
import { ORDER, sum } from "./states";
import { count, text } from "./strings";

const BUSY_MS = 1_000; // while a batch is under way
const QUIET_MS = 5_000;

export function BatchesPage() {
  const { list, problem, more } = useBatches();
  const [opened, setOpened] = useState(false);

  useEffect(() => {
    document.title = `${text.batches.title} · ${text.product}`;
  }, []);

  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h2">
          {text.batches.title}
        </Title>
        <Button leftSection={<Icon name="plus" />} onClick={() => setOpened(true)}>
          {text.newBatch.open}
        </Button>
      </Group>
      <NewBatch opened={opened} onClose={() => setOpened(false)} />
      {problem && <Alert color="orange">{problem.message}</Alert>}
      {list === null && !problem && (
        <Center h={200}>
          <Loader aria-label={text.batches.loading} />
        </Center>
      )}
      {list?.length === 0 && <Nothing />}
      <ul className="plain">
        {list?.map((batch) => (
          <li key={batch.batch_no}>
            <Card batch={batch} />
          </li>
        ))}
      </ul>
      {more && (
        <Button variant="default" onClick={more}>
          {text.batches.more}
        </Button>
      )}
    </Stack>
  );
}

function Nothing() {
  return (
    <Paper withBorder p="xl">
      <Stack align="center" gap="xs">
        <Text fw={600}>{text.batches.none}</Text>
        <Text className="quiet">{text.batches.noneLead}</Text>
      </Stack>
    </Paper>
  );
}

function Card({ batch }: { batch: Batch }) {
  const settled = batch.size - sum(batch.counts, "open");
  return (
    <a className="card" href={write({ batchNo: batch.batch_no })}>
      <Stack gap={10}>
        <Group justify="space-between" gap="xs">
          <Group gap="sm" miw={0}>
            <Text fw={600} className="clip">
              {batch.batch_no}
            </Text>
            {batch.retry_of && (
              <Text size="sm" className="quiet">
                {text.batches.retryOf(batch.retry_of)}
              </Text>
            )}
          </Group>
          <Text size="sm" className="quiet">
            {text.batches.started(batch.created_at)}
          </Text>
        </Group>
        <Progress counts={batch.counts} size={batch.size} />
        <Group justify="space-between" gap="xs">
          <Group gap="6px 18px">
            {ORDER.filter((state) => batch.counts[state]).map((state) => (
              <Group key={state} gap={6} wrap="nowrap" fz="sm">
                <StateWords state={state} />
                <b>{count(batch.counts[state] ?? 0)}</b>
              </Group>
            ))}
          </Group>
          <Text size="sm" className="quiet">
            {text.batches.summary(batch.size, settled)}
          </Text>
        </Group>
      </Stack>
    </a>
  );
}

/** The newest batches, asked for again and again; older ones as far as somebody wanted to see them. */
function useBatches() {
  const [newest, setNewest] = useState<Batch[] | null>(null);
  const [older, setOlder] = useState<Batch[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const paged = useRef(false); // somebody went further: `next` is below the older ones

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const refresh = async () => {
      let pause = QUIET_MS;
      try {
        const page = await batches(null);
        if (over) return;
        setNewest(page.items);
        setProblem(null);
        if (!paged.current) setNext(page.next);
        if (page.items.some((batch) => sum(batch.counts, "open") > 0)) pause = BUSY_MS;
      } catch (caught) {
        if (over) return;
        setProblem(caught as Problem);
      }
      timer = setTimeout(refresh, document.hidden ? QUIET_MS : pause);
    };
    void refresh();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);

  const more = useCallback(async () => {
    try {
      const page = await batches(next);
      paged.current = true;
      setOlder((known) => [...known, ...page.items]);
      setNext(page.next);
    } catch (caught) {
      setProblem(caught as Problem);
    }
  }, [next]);

  const fresh = new Set(newest?.map((batch) => batch.batch_no));
  const list = newest && [...newest, ...older.filter((batch) => !fresh.has(batch.batch_no))];
  return { list, problem, more: next === null ? null : more };
}

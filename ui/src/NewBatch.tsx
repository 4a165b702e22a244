/** Paste voucher ids, and send them as a new batch. */

import { Alert, Button, Group, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import { type Problem, submit, type Wrong } from "./api";
import { write } from "./place";
import { text } from "./strings";

const VOUCHERS_MOST = 100_000; // as the API says
const FIELDS = ["batch_no", "books"]; // whose faults stand beside them

export function NewBatch({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={<Text fw={600}>{text.newBatch.title}</Text>}
      size="lg"
      closeButtonProps={{ "aria-label": text.close }}
    >
      <Form onClose={onClose} />
    </Modal>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const [pasted, setPasted] = useState("");
  const [batchNo, setBatchNo] = useState("");
  const [books, setBooks] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  // The same vouchers sent again, after a lost answer say, are the same request.
  const once = useMemo(() => draw(pasted, batchNo, books), [pasted, batchNo, books]);
  const { ids, twice } = useMemo(() => read(pasted), [pasted]);
  const tooMany = ids.length > VOUCHERS_MOST;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      location.hash = write({ batchNo: await submit(ids, batchNo.trim(), books.trim(), once) });
      onClose();
    } catch (caught) {
      setProblem(caught as Problem);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={send}>
      <Stack>
        <Textarea
          label={text.newBatch.ids}
          description={text.newBatch.idsHint}
          rows={10}
          required
          data-autofocus
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          value={pasted}
          onChange={(event) => setPasted(event.currentTarget.value)}
          error={tooMany ? text.newBatch.tooMany(VOUCHERS_MOST) : undefined}
        />
        {twice > 0 && (
          <Text size="sm" className="quiet">
            {text.newBatch.twice(twice)}
          </Text>
        )}
        <Group grow align="start">
          <TextInput
            label={text.newBatch.batchNo}
            description={text.newBatch.batchNoHint}
            inputWrapperOrder={["label", "input", "description", "error"]}
            maxLength={64}
            error={problem && faultOf("batch_no", problem)}
            value={batchNo}
            onChange={(event) => setBatchNo(event.currentTarget.value)}
          />
          <TextInput
            label={text.newBatch.books}
            description={text.newBatch.booksHint}
            inputWrapperOrder={["label", "input", "description", "error"]}
            maxLength={200}
            error={problem && faultOf("books", problem)}
            value={books}
            onChange={(event) => setBooks(event.currentTarget.value)}
          />
        </Group>
        {problem && !(problem.places.length > 0 && problem.places.every(stands)) && (
          <Alert color="red" title={problem.message}>
            {problem.places
              .filter((place) => place.detail !== problem.message && !stands(place))
              .slice(0, 5)
              .map((place) => (
                <Text size="sm" key={place.pointer}>
                  {place.detail}
                </Text>
              ))}
          </Alert>
        )}
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            {text.newBatch.cancel}
          </Button>
          <Button type="submit" loading={busy} disabled={ids.length === 0 || tooMany}>
            {text.newBatch.submit(ids.length)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Whether a fault stands beside its field. */
const stands = (place: Wrong): boolean => FIELDS.some((field) => place.pointer === `/${field}`);

/** What the API says of one field, which needs no pointer where it stands beside the field. */
const faultOf = (field: string, problem: Problem): string | undefined =>
  problem.places.find((place) => place.pointer === `/${field}`)?.detail.replace(` at /${field}`, "");

/** The ids in what was pasted, each once: one a line, for they may hold commas and blanks. */
function read(pasted: string): { ids: string[]; twice: number } {
  const lines = pasted
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const ids = [...new Set(lines)];
  return { ids, twice: lines.length - ids.length };
}

/** A random Idempotency-Key, another one for each content. */
function draw(..._content: string[]): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** Who has no session: paste a one-time token or an API key. */

import { Button, Center, Group, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { exchange, type Problem, signInWith } from "./api";
import { text } from "./strings";

export function SignIn({ says, onEntered }: { says: string; onEntered: () => void }) {
  const [pasted, setPasted] = useState("");
  const [refusal, setRefusal] = useState(says);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const key = pasted.trim();
      if ((await exchange(key)) || (await signInWith(key))) onEntered();
      else setRefusal(text.signIn.refused);
    } catch (problem) {
      setRefusal((problem as Problem).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w={440} maw="100%">
        <form onSubmit={submit}>
          <Stack>
            <Group gap="sm">
              <img src="/icon.svg" alt="" width={32} height={32} />
              <Title order={1} size="h3">
                {text.signIn.title}
              </Title>
            </Group>
            <Text size="sm" className="quiet">
              {text.signIn.lead}
            </Text>
            <TextInput
              label={text.signIn.label}
              type="password"
              autoComplete="off"
              autoFocus
              required
              value={pasted}
              onChange={(event) => setPasted(event.currentTarget.value)}
              error={refusal || undefined}
            />
            <Button type="submit" loading={busy} disabled={!pasted.trim()}>
              {text.signIn.submit}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

/** The console: signed in or not, and which page. */

import { Alert, Button, Center, Container, Loader, Stack } from "@mantine/core";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { currentSession, exchange, forget, type Problem, pastedKey, type Session } from "./api";
import { BatchesPage } from "./BatchesPage";
import { BatchPage } from "./BatchPage";
import { Header } from "./Header";
import { addressOf, Live } from "./live";
import { usePlace } from "./place";
import { SignIn } from "./SignIn";
import { text } from "./strings";

type Stand =
  | { is: "asking" }
  | { is: "out"; says: string }
  | { is: "in"; session: Session }
  | { is: "trouble"; says: string };

export function App({ token }: { token: string }) {
  const [stand, setStand] = useState<Stand>({ is: "asking" });

  const enter = useCallback(async (oneTime: string) => {
    setStand({ is: "asking" });
    try {
      const used = oneTime !== "" && !(await exchange(oneTime));
      const session = await currentSession();
      if (session) setStand({ is: "in", session });
      else setStand({ is: "out", says: used ? text.signIn.usedLink : "" });
    } catch (problem) {
      setStand({ is: "trouble", says: (problem as Problem).message });
    }
  }, []);

  useEffect(() => {
    void enter(token);
  }, [enter, token]);

  switch (stand.is) {
    case "asking":
      return (
        <Center mih="100dvh">
          <Loader aria-label={text.signIn.busy} />
        </Center>
      );
    case "out":
      return <SignIn says={stand.says} onEntered={() => enter("")} />;
    case "trouble":
      return (
        <Container size="xs" pt={80}>
          <Alert color="red" title={text.trouble.title}>
            <Stack align="start">
              {stand.says}
              <Button onClick={() => enter(token)}>{text.retry}</Button>
            </Stack>
          </Alert>
        </Container>
      );
    case "in":
      return <Console session={stand.session} onOut={() => setStand({ is: "out", says: "" })} />;
  }
}

function Console({ session, onOut }: { session: Session; onOut: () => void }) {
  const live = useLive(session);
  const lamp = useSyncExternalStore(live.subscribe, () => live.lamp);
  const place = usePlace();

  useEffect(() => {
    if (lamp !== "signed-out") return;
    forget();
    onOut();
  }, [lamp, onOut]);

  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById("main")?.focus()}>
        {text.skip}
      </button>
      <Header account={session.account} lamp={lamp} />
      <Container component="main" id="main" size="lg" py="lg" px={{ base: "sm", sm: "md" }} tabIndex={-1}>
        {place.batchNo ? <BatchPage key={place.batchNo} place={place} live={live} /> : <BatchesPage />}
      </Container>
    </>
  );
}

function useLive(session: Session): Live {
  const [live] = useState(() => new Live(addressOf(session), pastedKey()));
  useEffect(() => () => live.close(), [live]);
  return live;
}

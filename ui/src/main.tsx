import { MantineProvider } from "@mantine/core";
import { createRoot } from "react-dom/client";
import "./styles";
import { App } from "./App";
import { heedLinks, takeToken } from "./place";
import { theme } from "./theme";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

heedLinks();
createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto">
    <App token={takeToken()} />
  </MantineProvider>,
);

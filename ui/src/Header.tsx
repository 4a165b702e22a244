/** The bar on top: whose console, whether it is live, light or dark. */

import { ActionIcon, Container, Group, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { Icon } from "./icons";
import type { Lamp } from "./live";
import { text } from "./strings";

export function Header({ account, lamp }: { account: string; lamp: Lamp }) {
  return (
    <header className="bar">
      <Container size="lg" px={{ base: "sm", sm: "md" }}>
        <Group h={56} justify="space-between" wrap="nowrap">
          <Group gap="md" wrap="nowrap" miw={0}>
            <a className="brand" href="#/">
              <img src="/icon.svg" alt="" width={26} height={26} />
              {text.product}
            </a>
            <span className="quiet clip">{account}</span>
          </Group>
          <Group gap="md" wrap="nowrap">
            <output className="lamp" data-lamp={lamp}>
              <i />
              {text.lamp[lamp]}
            </output>
            <Scheme />
          </Group>
        </Group>
      </Container>
    </header>
  );
}

function Scheme() {
  const scheme = useComputedColorScheme("light");
  const { setColorScheme } = useMantineColorScheme();
  const other = scheme === "light" ? "dark" : "light";
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={other === "dark" ? text.toDark : text.toLight}
      onClick={() => setColorScheme(other)}
    >
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </ActionIcon>
  );
}

/** A state as people see it: icon and words, the colour only besides. */

import type { CSSProperties } from "react";
import { Icon } from "./icons";
import { type Counts, ORDER, STATES, type State, sum } from "./states";
import { STATE_WORDS, text } from "./strings";

/** Both shades of a state's colour, as variables for the style sheet. */
function shades(state: State): CSSProperties {
  const { colour } = STATES[state];
  const [light, dark] = colour === "gray" ? [6, 5] : colour === "yellow" ? [9, 5] : [8, 5];
  return {
    "--light": `var(--mantine-color-${colour}-${light})`,
    "--dark": `var(--mantine-color-${colour}-${dark})`,
  } as CSSProperties;
}

export function StateWords({ state }: { state: State }) {
  return (
    <span className="state" data-state={state} style={shades(state)}>
      <Icon name={STATES[state].icon} />
      {STATE_WORDS[state]}
    </span>
  );
}

/** The share of each state in a batch. */
export function Progress({ counts, size }: { counts: Counts; size: number }) {
  const done = size - sum(counts, "open");
  return (
    <div
      className="progress"
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={size}
      aria-valuenow={done}
      aria-label={text.batch.progress(done, size)}
    >
      {ORDER.filter((state) => counts[state]).map((state) => (
        <span
          key={state}
          data-state={state}
          title={`${STATE_WORDS[state]}: ${counts[state]}`}
          style={{ ...shades(state), flexGrow: counts[state], flexBasis: 0 }}
        />
      ))}
    </div>
  );
}

/** Colours and fonts. System fonts only: nothing is fetched from anywhere. */

import { createTheme, InputWrapper } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "blue",
  primaryShade: { light: 8, dark: 8 },
  fontFamily:
    'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Devanagari", "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, monospace',
  defaultRadius: "md",
  respectReducedMotion: true,
  components: {
    InputWrapper: InputWrapper.extend({ defaultProps: { withAsterisk: false } }), // what may be left out says so
  },
});

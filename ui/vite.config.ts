import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

// Where `npm run dev` finds the services of a running `irnflow up`.
const { IRNFLOW_CONSOLE_URL: api = "http://127.0.0.1:8000" } = loadEnv("", ".", "IRNFLOW_");

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/irnflow/console",
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // older ones lack light-dark()
    assetsInlineLimit: 0, // the page allows no data: addresses
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: api, changeOrigin: true } } },
});

// The two pages: the dashboard (index.html) and the hosted survey (survey.html).
import { defineConfig } from "vite";
import { world } from "./world.ts";

export default defineConfig({
  plugins: [world()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false }, // an inline script otherwise
    assetsInlineLimit: 0, // nothing from data: URLs
    rollupOptions: {
      input: ["index.html", "survey.html"],
      checks: { pluginTimings: false }, // the map's shapes take a second: not worth a warning
    },
  },
});

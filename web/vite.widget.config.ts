// The widget: one script that any site may include, widget.v1.js.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    emptyOutDir: false,
    lib: {
      entry: "src/widget/main.ts",
      name: "PulseWidget",
      formats: ["iife"],
      fileName: () => "widget.v1.js",
    },
  },
});

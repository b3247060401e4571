// The dashboard's start: the key, the address, the page.

import { render } from "preact";
import { App } from "./app.tsx";
import { watchPrinting } from "./printing.ts";
import { start } from "./router.ts";
import { open } from "./session.ts";
import "./style.css";
import { speakTheReaders } from "./texts.ts";

open();
start();
watchPrinting();
const root = document.getElementById("app");
void speakTheReaders().then(() => {
  if (root) render(<App />, root);
});

"""pulse erase: a person's rows leave the lake, wherever they lie, and nobody else's do.

    erase → search (Athena finds the days) → raw.covered (objects are rewritten)  → receipt
          ↘ letters (dead letters, quarantine) ↘ traces (exports, results of statements)
          ↘ store.erasures (tombstones) ⇢ raw.write, raw.compact: what comes later is left out

pulse.tombstones says what makes a row a person's; each other module is one place to look.
"""

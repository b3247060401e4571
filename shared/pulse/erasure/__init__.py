"""pulse erase and pulse purge: they remove rows from every place in the lake, and no other rows.

    erase → search (Athena finds the days) → raw.covered (objects are rewritten)  → receipt
          ↘ dead letters, quarantine ↘ traces (exports, results of statements)
          ↘ store.erasures (tombstones) ⇢ raw.write, raw.compact: they leave out what comes later

pulse.tombstones says which rows are a person's. person.py and purge.py say which rows are sought,
deletion.py deletes a whole tenant.
"""

"""write_raw: messages of the queue → Parquet objects of single events, by tenant-local day.

    write → ingest.message → zones → enrich (countries, user_agents) → rows → parquet → lake
                                                                     ↘ quarantine     ↘ names

write.py is where a batch comes in; each other module is one step on its way.
"""

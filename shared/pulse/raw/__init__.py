"""The stage write_raw: it stores the queue's messages as Parquet objects of events, by local day.

    write → ingest.message → zones → enrich (countries, user_agents) → rows → parquet → lake
                                                                     ↘ quarantine     ↘ names

write.py takes the batch; each other module of the drawing is one step. Three stages work on the
objects later: compact.py joins them, restore.py brings lost rows back, and resend.py sends what was
set aside again.
"""

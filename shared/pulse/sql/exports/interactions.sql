-- Interactions of one tenant as they count, row by row: all of an interaction's updates in one.
-- Reads raw_interactions. Parameters: tenant; first_day, last_day and the days themselves, as text;
-- synchronous, as counted/interactions; for each dimension its filter: values marked by
-- exports/write.py, and whether they are negated.
-- A filter judges the merged row, so that nothing comes back under values that were replaced.
WITH counted AS (
{counted/interactions}
)

SELECT
    tenant, interaction_id, media_type, entered_us, updated_us, received_us,
    customer_segment, service_type, agent, agent_name, customer, offered_us, accepted_us,
    first_response_us, finished_us, abandoned, replies, satisfaction, revenue, currency,
    accept_threshold_us, first_response_threshold_us, finish_threshold_us,
    entered_by_day, accepted_by_day, first_response_by_day, finished_by_day, synchronous, dt
FROM counted
WHERE tenant = :tenant
    AND contains(:media_type, coalesce('=' || media_type, '-')) <> :media_type_negated
    AND contains(:customer_segment, coalesce('=' || customer_segment, '-')) <> :customer_segment_negated
    AND contains(:service_type, coalesce('=' || service_type, '-')) <> :service_type_negated
    AND contains(:agent, coalesce('=' || agent, '-')) <> :agent_negated
    AND contains(:currency, coalesce('=' || currency, '-')) <> :currency_negated

-- Responses of one tenant as they count, row by row.
-- Reads raw_responses. Parameters: tenant; first_day, last_day and the days themselves, as text;
-- for each dimension, those of tags among them, its filter: values marked by exports/write.py, and
-- whether they are negated.
-- A filter judges the row that counts, so that no replaced one comes back under its old values.
WITH counted AS (
{counted/responses}
)

SELECT
    tenant, survey, metric, scale, response_id, key_kind, answered_us, received_us, score,
    channel, agent, agent_name, customer, interaction, comment, tags, country, browser, os,
    device, tag1, tag2, tag3, tag4, dt
FROM counted
WHERE tenant = :tenant
    AND contains(:survey, coalesce('=' || survey, '-')) <> :survey_negated
    AND contains(:metric, coalesce('=' || metric, '-')) <> :metric_negated
    AND contains(:scale, coalesce('=' || scale, '-')) <> :scale_negated
    AND contains(:channel, coalesce('=' || channel, '-')) <> :channel_negated
    AND contains(:agent, coalesce('=' || agent, '-')) <> :agent_negated
    AND contains(:country, coalesce('=' || country, '-')) <> :country_negated
    AND contains(:browser, coalesce('=' || browser, '-')) <> :browser_negated
    AND contains(:os, coalesce('=' || os, '-')) <> :os_negated
    AND contains(:device, coalesce('=' || device, '-')) <> :device_negated
    AND contains(:tag1, coalesce('=' || tag1, '-')) <> :tag1_negated
    AND contains(:tag2, coalesce('=' || tag2, '-')) <> :tag2_negated
    AND contains(:tag3, coalesce('=' || tag3, '-')) <> :tag3_negated
    AND contains(:tag4, coalesce('=' || tag4, '-')) <> :tag4_negated

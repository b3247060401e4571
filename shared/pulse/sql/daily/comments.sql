-- Comments: one row for each answer that counts and has a comment.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text.
-- Laid out by a bucket of the tenant; the builder splits each bucket by tenant and lets each month
-- of a tenant be one object.
WITH counted AS (
{counted/responses}
)

SELECT
    tenant, answered_us, response_id, key_kind, survey, metric, scale, score, channel, agent,
    country, browser, os, device, interaction, comment, tags, dt,
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM counted
WHERE comment IS NOT NULL

-- Comments: one row for each answer that counts and has a comment.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text.
-- The builder splits the rows by tenant and lets each month of a tenant be one object.
WITH counted AS (
{counted/responses}
)

SELECT
    tenant, answered_us, response_id, key_kind, survey, metric, scale, score, channel, agent,
    country, browser, os, device, interaction, comment, tags, dt
FROM counted
WHERE comment IS NOT NULL

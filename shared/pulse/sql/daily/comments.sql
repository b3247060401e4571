-- Comments: one row for each answer that counts and has a comment, with what the customer went through
-- before, as far as the answer is linked to an interaction.
-- Reads raw_responses and raw_interactions. Parameters: as counted/linked.
-- Laid out by a bucket of the tenant; the builder splits each bucket by tenant and lets each month
-- of a tenant be one object.
WITH answers AS (
    SELECT
        tenant, survey, metric, scale, response_id, key_kind, answered_us, score, channel, agent,
        country, browser, os, device, interaction, comment, tags, linkable, dt
    FROM (
{counted/responses}
    ) AS counted
    WHERE comment IS NOT NULL
),

linked AS (
{counted/linked}
)

SELECT
    tenant, answered_us, response_id, key_kind, survey, metric, scale, score, channel, agent,
    country, browser, os, device, interaction, comment, tags,
    media_type, customer_segment, service_type, handled_by, accept, first_response, finish, wait,
    life, was_abandoned, had_revenue, was_rated, entered_on, dt,
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM linked

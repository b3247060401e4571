-- What counts of raw_responses: of an identity the greatest version of a day, as it came.
-- Parameters: first_day, last_day and the days themselves, as text.
SELECT
    tenant, survey, metric, scale, response_id, key_kind, answered_us, received_us, score,
    channel, agent, agent_name, customer, interaction, comment, tags, country, browser, os,
    device, tag1, tag2, tag3, tag4, linkable, dt
FROM (
    SELECT
        tenant, survey, metric, scale, response_id, key_kind, answered_us, received_us, score,
        channel, agent, agent_name, customer, interaction, comment, tags, country, browser, os,
        device, tag1, tag2, tag3, tag4, linkable, dt,
        row_number() OVER (
            PARTITION BY dt, tenant, survey, key_kind, response_id
            ORDER BY received_us DESC, content_hash DESC
        ) AS place
    FROM raw_responses
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS ranked
WHERE place = 1

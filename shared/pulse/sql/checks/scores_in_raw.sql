-- How many answers each day of raw_responses holds, each identity counted once, and of how many
-- channels, agents, browsers, systems or values of a tag public keys have sent answers for one
-- tenant: the greatest of these numbers, at least as great as that of the values which count.
-- Parameters: first_day, last_day and the days themselves, as text.
SELECT dt, sum(events) AS events, max(public_values) AS public_values
FROM (
    SELECT dt, count(*) AS events, 0 AS public_values
    FROM (
        SELECT DISTINCT dt, tenant, survey, key_kind, response_id
        FROM raw_responses
        WHERE dt BETWEEN :first_day AND :last_day
            AND contains(:days, dt)
    ) AS identities
    GROUP BY dt
    UNION ALL
    SELECT
        dt,
        0 AS events,
        greatest(
            count(DISTINCT channel), count(DISTINCT agent), count(DISTINCT browser),
            count(DISTINCT os), count(DISTINCT tag1), count(DISTINCT tag2), count(DISTINCT tag3),
            count(DISTINCT tag4)
        ) AS public_values
    FROM (
        SELECT DISTINCT dt, tenant, channel, agent, browser, os, tag1, tag2, tag3, tag4
        FROM raw_responses
        WHERE key_kind = 'publishable'
            AND dt BETWEEN :first_day AND :last_day
            AND contains(:days, dt)
    ) AS named
    GROUP BY dt, tenant
) AS counted
GROUP BY dt

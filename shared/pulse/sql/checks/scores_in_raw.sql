-- How many answers each day of raw_responses holds, each identity counted once.
-- Parameters: first_day, last_day and the days themselves, as text.
SELECT dt, count(*) AS events
FROM (
    SELECT DISTINCT dt, tenant, survey, key_kind, response_id
    FROM raw_responses
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS identities
GROUP BY dt

-- How many sessions each day of raw_sessions holds, each identity counted once.
-- Parameters: first_day, last_day and the days themselves, as text.
SELECT dt, count(*) AS events
FROM (
    SELECT DISTINCT dt, tenant, session_id
    FROM raw_sessions
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS identities
GROUP BY dt

-- How many interactions each day of raw_interactions holds, each identity counted once.
-- Parameters: first_day, last_day and the days themselves, as text.
SELECT dt, count(*) AS events
FROM (
    SELECT DISTINCT dt, tenant, interaction_id
    FROM raw_interactions
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS identities
GROUP BY dt

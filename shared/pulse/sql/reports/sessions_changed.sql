-- Whose rows of sessions differ between the runs of a day: a row for each tenant and day.
-- Reads daily_sessions_runs. Parameters: runs; pairs, each written run/day; first_day and last_day as
-- text; compared: how many runs each of the days has among the pairs.
-- A run has a row once. So a row that all the runs of its day have is there as often as they are.
WITH differing AS (
    SELECT tenant, dt
    FROM daily_sessions_runs
    WHERE run IN (:runs)
        AND dt BETWEEN :first_day AND :last_day
        AND contains(:pairs, run || '/' || dt)
    GROUP BY
        tenant, dt,
        agent, media_type,
        sessions, active_us, engaged_us
    HAVING count(*) <> :compared
)

SELECT tenant, dt
FROM differing
GROUP BY tenant, dt

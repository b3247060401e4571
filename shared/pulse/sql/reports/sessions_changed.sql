-- Whose rows of sessions differ between the runs of a day: a row for each tenant and day of them.
-- Reads daily_sessions_runs. Parameters: runs; pairs, each written run/day; newest, the pairs of
-- each day's newest run; first_day and last_day as text; compared: how many runs each of the days
-- has among the pairs.
-- A run has a row once. So a row that all the runs of its day have is there as often as they are.
-- Of a tenant and day: the events and rows of the newest run, and how many rows not all runs have.
WITH counted AS (
    SELECT
        tenant, dt,
        sessions AS events,
        count(*) AS copies,
        count_if(contains(:newest, run || '/' || dt)) AS copies_now
    FROM daily_sessions_runs
    WHERE run IN (:runs)
        AND dt BETWEEN :first_day AND :last_day
        AND contains(:pairs, run || '/' || dt)
    GROUP BY
        tenant, dt,
        agent, media_type,
        sessions, active_us, engaged_us
)

SELECT
    tenant, dt,
    sum(CASE WHEN copies_now > 0 THEN events ELSE 0 END) AS events,
    count_if(copies_now > 0) AS present,
    count_if(copies <> :compared) AS differing
FROM counted
GROUP BY tenant, dt

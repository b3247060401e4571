-- How many sessions some runs of daily_sessions count on their days, for each tenant.
-- Parameters: runs; pairs, each written run/day; first_day and last_day as text.
SELECT tenant, sum(sessions) AS events
FROM daily_sessions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
GROUP BY tenant

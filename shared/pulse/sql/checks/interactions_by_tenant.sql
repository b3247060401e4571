-- How many interactions some runs of daily_interactions count on their days, for each tenant.
-- Parameters: runs; pairs, each written run/day; first_day and last_day as text.
SELECT tenant, sum(entered) AS events
FROM daily_interactions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
GROUP BY tenant

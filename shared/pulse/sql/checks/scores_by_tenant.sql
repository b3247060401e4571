-- How many answers some runs of daily_scores count on their days, for each tenant.
-- Parameters: runs; pairs, each written run/day; first_day and last_day as text.
SELECT tenant, sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10) AS events
FROM daily_scores_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
GROUP BY tenant

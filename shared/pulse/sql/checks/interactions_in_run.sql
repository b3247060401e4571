-- How many interactions each day of one run of daily_interactions counts, published or not.
-- Parameters: run; first_day and last_day as text.
SELECT dt, sum(entered) AS events
FROM daily_interactions_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
GROUP BY dt

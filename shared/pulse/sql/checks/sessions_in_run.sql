-- How many sessions each day of one run of daily_sessions counts, published or not.
-- Parameters: run; first_day and last_day as text.
SELECT dt, sum(sessions) AS events
FROM daily_sessions_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
GROUP BY dt

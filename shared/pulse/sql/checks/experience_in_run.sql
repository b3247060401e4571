-- How many answers each day of one run of daily_experience counts, published or not, linked or not.
-- Parameters: run; first_day and last_day as text.
SELECT dt, sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10) AS events
FROM daily_experience_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
GROUP BY dt

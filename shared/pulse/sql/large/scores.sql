-- Rows of a large tenant: daily rows of scores of a run and some days, apart from all others.
-- Reads daily_scores_runs. Parameters: tenant; run; first_day, last_day and the
-- days themselves, as text. Laid out by day.
SELECT
    survey, metric, scale, channel, agent, country, browser, os, device, c0, c1, c2, c3, c4, c5,
    c6, c7, c8, c9, c10,
    dt
FROM daily_scores_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:days, dt)
    AND tenant = :tenant

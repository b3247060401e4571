-- Rows of a large tenant: its daily rows of scores of some runs and days, apart from all others'.
-- Reads daily_scores_runs. Parameters: tenant; runs; pairs, each written run/day; first_day and
-- last_day as text. Laid out by day.
SELECT
    survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4,
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,
    dt
FROM daily_scores_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND tenant = :tenant

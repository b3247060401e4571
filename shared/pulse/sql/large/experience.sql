-- Rows of a large tenant: its daily rows of experience of some runs and days, apart from all others'.
-- Reads daily_experience_runs. Parameters: tenant; runs; pairs, each written run/day; first_day and
-- last_day as text. Laid out by day.
SELECT
    survey, metric, scale, channel, device,
    media_type, customer_segment, service_type, agent,
    accept, first_response, finish, wait, life, was_abandoned, had_revenue, was_rated, entered_on,
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,
    dt
FROM daily_experience_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND tenant = :tenant

-- Rows of a large tenant: its daily rows of sessions of some runs and days, apart from all others'.
-- Reads daily_sessions_runs. Parameters: tenant; runs; pairs, each written run/day; first_day and
-- last_day as text. Laid out by day.
SELECT
    agent, media_type, sessions, active_us, engaged_us,
    dt
FROM daily_sessions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND tenant = :tenant

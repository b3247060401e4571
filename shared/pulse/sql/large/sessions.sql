-- Rows of a large tenant: daily rows of sessions of a run and some days, apart from all others.
-- Reads daily_sessions_runs. Parameters: tenant; run; first_day, last_day and the
-- days themselves, as text. Laid out by day.
SELECT
    agent, media_type, sessions, active_us, engaged_us,
    dt
FROM daily_sessions_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:days, dt)
    AND tenant = :tenant

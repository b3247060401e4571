-- Report rows of sessions: the daily rows of some tenants for some days, laid out by tenant.
-- Reads daily_sessions. Parameters: first_day and last_day as text, tenants.
-- The same rows, only arranged for reading; their order is made by the builder.
SELECT
    agent, media_type,
    CAST(dt AS date) AS day,
    sessions, active_us, engaged_us,
    tenant
FROM daily_sessions
WHERE dt BETWEEN :first_day AND :last_day
    AND contains(:tenants, tenant)

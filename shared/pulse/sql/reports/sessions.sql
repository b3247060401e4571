-- Report rows of sessions: daily rows of some runs and days, laid out by a bucket of the tenant.
-- Reads daily_sessions_runs. Parameters: runs; pairs, each written run/day; first_day and last_day as
-- text; everybody: rows of every tenant, else only those of the tenants.
-- The same rows, only arranged for reading; the builder splits each bucket by tenant.
SELECT
    tenant,
    agent, media_type,
    CAST(dt AS date) AS day,
    sessions, active_us, engaged_us,
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM daily_sessions_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND (:everybody OR contains(:tenants, tenant))

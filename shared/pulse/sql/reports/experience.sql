-- Report rows of experience: daily rows of some runs and days, laid out by a bucket of the tenant.
-- Reads daily_experience_runs. Parameters: runs; pairs, each written run/day; first_day and last_day as
-- text; everybody: rows of every tenant, else only those of the tenants.
-- The same rows, only arranged for reading; the builder splits each bucket by tenant.
SELECT
    tenant,
    survey, metric, scale, channel, device,
    media_type, customer_segment, service_type, agent,
    accept, first_response, finish, wait, life, was_abandoned, had_revenue, was_rated, entered_on,
    CAST(dt AS date) AS day,
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM daily_experience_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND (:everybody OR contains(:tenants, tenant))

-- Report rows of scores: daily rows of some runs and days, laid out by a bucket of the tenant.
-- Reads daily_scores_runs. Parameters: runs; pairs, each written run/day; first_day and last_day as
-- text; everybody: rows of every tenant, else only those of the tenants.
-- The same rows, only arranged for reading; the builder splits each bucket by tenant.
SELECT
    tenant,
    survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4,
    CAST(dt AS date) AS day,
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,
    substr(lower(to_hex(sha256(to_utf8(tenant)))), 1, 1) AS bucket
FROM daily_scores_runs
WHERE run IN (:runs)
    AND dt BETWEEN :first_day AND :last_day
    AND contains(:pairs, run || '/' || dt)
    AND (:everybody OR contains(:tenants, tenant))

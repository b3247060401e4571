-- Report rows of scores: the daily rows of some tenants for some days, laid out by tenant.
-- Reads daily_scores. Parameters: first_day and last_day as text, tenants.
-- The same rows, only arranged for reading; their order is made by the builder.
SELECT
    survey, metric, scale, channel, agent, country, browser, os, device,
    CAST(dt AS date) AS day,
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,
    tenant
FROM daily_scores
WHERE dt BETWEEN :first_day AND :last_day
    AND contains(:tenants, tenant)

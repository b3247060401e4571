-- Where published days of daily_experience count other numbers of answers than those of daily_scores: one
-- row for each such tenant and day. Parameters: first_day, last_day and the days themselves, as text.
-- Every answer is in both tables, linked or not.
SELECT tenant, dt, sum(in_scores) AS scores, sum(in_experience) AS experience
FROM (
    SELECT tenant, dt, c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 AS in_scores, 0 AS in_experience
    FROM daily_scores
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
    UNION ALL
    SELECT tenant, dt, 0 AS in_scores, c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 AS in_experience
    FROM daily_experience
    WHERE dt BETWEEN :first_day AND :last_day
        AND contains(:days, dt)
) AS counted
GROUP BY tenant, dt
HAVING sum(in_scores) <> sum(in_experience)

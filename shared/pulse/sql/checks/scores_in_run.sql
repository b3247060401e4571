-- How many answers each day of one run of daily_scores counts, published or not, and how many of
-- them stand in a row that puts values together.
-- Parameters: run; first_day and last_day as text.
SELECT dt, sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10) AS events,
    coalesce(
        sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10) FILTER (
            WHERE channel = '(other)' OR agent = '(other)' OR browser = '(other)' OR os = '(other)'
                OR tag1 = '(other)' OR tag2 = '(other)' OR tag3 = '(other)' OR tag4 = '(other)'
        ), 0
    ) AS folded
FROM daily_scores_runs
WHERE run = :run
    AND dt BETWEEN :first_day AND :last_day
GROUP BY dt

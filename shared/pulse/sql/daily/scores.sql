-- daily_scores: one row for each tenant, day and combination of dimensions that occurred.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text.
-- An answer may have been sent more than once: it counts once.
-- For days on which public keys have named more agents, browsers or systems than are told apart
-- there is scores_folded: it gives the same rows wherever nothing is to be folded.
WITH counted AS (
{counted/responses}
)

SELECT
    tenant, survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4,
    count_if(score = 0) AS c0,
    count_if(score = 1) AS c1,
    count_if(score = 2) AS c2,
    count_if(score = 3) AS c3,
    count_if(score = 4) AS c4,
    count_if(score = 5) AS c5,
    count_if(score = 6) AS c6,
    count_if(score = 7) AS c7,
    count_if(score = 8) AS c8,
    count_if(score = 9) AS c9,
    count_if(score = 10) AS c10,
    dt
FROM counted
GROUP BY
    tenant, survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4, dt

-- daily_scores: one row for each tenant, day and combination of dimensions that occurred.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text;
-- public_values.
-- An answer may have been sent more than once: it counts once.
-- Of the agents, browsers and systems that public keys alone have sent for a tenant's day, the
-- public_values with the most answers are told apart (equal ones by their text); the others are
-- (other). What a secret key has sent is told apart and not counted among them.
WITH counted AS (
{counted/responses}
),

sized AS (
    SELECT
        tenant, survey, metric, scale, channel, agent, country, browser, os, device, score, dt,
        count(*) OVER (PARTITION BY tenant, dt, agent) AS agent_answers,
        count(*) OVER (PARTITION BY tenant, dt, browser) AS browser_answers,
        count(*) OVER (PARTITION BY tenant, dt, os) AS os_answers,
        agent IS NOT NULL
            AND bool_and(key_kind = 'publishable') OVER (PARTITION BY tenant, dt, agent)
            AS agent_public,
        browser IS NOT NULL
            AND bool_and(key_kind = 'publishable') OVER (PARTITION BY tenant, dt, browser)
            AS browser_public,
        os IS NOT NULL
            AND bool_and(key_kind = 'publishable') OVER (PARTITION BY tenant, dt, os)
            AS os_public
    FROM counted
),

placed AS (
    SELECT
        tenant, survey, metric, scale, channel, agent, country, browser, os, device, score, dt,
        agent_public, browser_public, os_public,
        dense_rank() OVER (
            PARTITION BY tenant, dt, agent_public ORDER BY agent_answers DESC, agent
        ) AS agent_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, browser_public ORDER BY browser_answers DESC, browser
        ) AS browser_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, os_public ORDER BY os_answers DESC, os
        ) AS os_place
    FROM sized
),

folded AS (
    SELECT
        tenant, survey, metric, scale, channel, country, device, score, dt,
        CASE
            WHEN agent_public AND agent_place > :public_values THEN '(other)' ELSE agent
        END AS agent,
        CASE
            WHEN browser_public AND browser_place > :public_values THEN '(other)' ELSE browser
        END AS browser,
        CASE WHEN os_public AND os_place > :public_values THEN '(other)' ELSE os END AS os
    FROM placed
)

SELECT
    tenant, survey, metric, scale, channel, agent, country, browser, os, device,
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
FROM folded
GROUP BY tenant, survey, metric, scale, channel, agent, country, browser, os, device, dt

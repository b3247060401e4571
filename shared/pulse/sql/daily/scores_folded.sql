-- daily_scores of days on which public keys have named a great many values: one row for each tenant,
-- day and combination of dimensions that is left once the rarest values are put together.
-- Reads raw_responses. Parameters: first_day, last_day and the days themselves, as text;
-- public_values.
-- An answer may have been sent more than once: it counts once.
-- Of the channels, agents, browsers, systems and values of each tag that public keys alone have sent
-- for a tenant's day, the public_values with the most answers are told apart (equal ones by their
-- text); the others are (other). What a secret key has sent, and the usual channels, are told apart
-- and not counted among them.
-- Values are ranked over groups of answers, not over answers. A query of WITH that is read twice
-- would be computed twice, from raw on; so the groups are ranked where they stand, and not joined.
WITH counted AS (
{counted/responses}
),

cells AS (
    SELECT
        tenant, survey, metric, scale, channel, agent, country, browser, os, device,
        tag1, tag2, tag3, tag4, score, dt,
        count(*) AS answers,
        bool_and(key_kind = 'publishable') AS public
    FROM counted
    GROUP BY tenant, survey, metric, scale, channel, agent, country, browser, os, device,
        tag1, tag2, tag3, tag4, score, dt
),

sized AS (
    SELECT
        tenant, survey, metric, scale, channel, agent, country, browser, os, device,
        tag1, tag2, tag3, tag4, score, dt,
        answers,
        sum(answers) OVER (PARTITION BY tenant, dt, channel) AS channel_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, agent) AS agent_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, browser) AS browser_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, os) AS os_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, tag1) AS tag1_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, tag2) AS tag2_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, tag3) AS tag3_answers,
        sum(answers) OVER (PARTITION BY tenant, dt, tag4) AS tag4_answers,
        channel NOT IN ('ticket', 'chat', 'external')
            AND bool_and(public) OVER (PARTITION BY tenant, dt, channel)
            AS channel_public,
        agent IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, agent)
            AS agent_public,
        browser IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, browser)
            AS browser_public,
        os IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, os) AS os_public,
        tag1 IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, tag1) AS tag1_public,
        tag2 IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, tag2) AS tag2_public,
        tag3 IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, tag3) AS tag3_public,
        tag4 IS NOT NULL AND bool_and(public) OVER (PARTITION BY tenant, dt, tag4) AS tag4_public
    FROM cells
),

placed AS (
    SELECT
        tenant, survey, metric, scale, channel, agent, country, browser, os, device,
        tag1, tag2, tag3, tag4, score, dt,
        answers, channel_public, agent_public, browser_public, os_public,
        tag1_public, tag2_public, tag3_public, tag4_public,
        dense_rank() OVER (
            PARTITION BY tenant, dt, channel_public ORDER BY channel_answers DESC, channel
        ) AS channel_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, agent_public ORDER BY agent_answers DESC, agent
        ) AS agent_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, browser_public ORDER BY browser_answers DESC, browser
        ) AS browser_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, os_public ORDER BY os_answers DESC, os
        ) AS os_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, tag1_public ORDER BY tag1_answers DESC, tag1
        ) AS tag1_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, tag2_public ORDER BY tag2_answers DESC, tag2
        ) AS tag2_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, tag3_public ORDER BY tag3_answers DESC, tag3
        ) AS tag3_place,
        dense_rank() OVER (
            PARTITION BY tenant, dt, tag4_public ORDER BY tag4_answers DESC, tag4
        ) AS tag4_place
    FROM sized
),

folded AS (
    SELECT
        tenant, survey, metric, scale, country, device, score, dt, answers,
        CASE
            WHEN channel_public AND channel_place > :public_values THEN '(other)' ELSE channel
        END AS channel,
        CASE
            WHEN agent_public AND agent_place > :public_values THEN '(other)' ELSE agent
        END AS agent,
        CASE
            WHEN browser_public AND browser_place > :public_values THEN '(other)' ELSE browser
        END AS browser,
        CASE WHEN os_public AND os_place > :public_values THEN '(other)' ELSE os END AS os,
        CASE WHEN tag1_public AND tag1_place > :public_values THEN '(other)' ELSE tag1 END
            AS tag1,
        CASE WHEN tag2_public AND tag2_place > :public_values THEN '(other)' ELSE tag2 END
            AS tag2,
        CASE WHEN tag3_public AND tag3_place > :public_values THEN '(other)' ELSE tag3 END
            AS tag3,
        CASE WHEN tag4_public AND tag4_place > :public_values THEN '(other)' ELSE tag4 END
            AS tag4
    FROM placed
)

SELECT
    tenant, survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4,
    coalesce(sum(answers) FILTER (WHERE score = 0), 0) AS c0,
    coalesce(sum(answers) FILTER (WHERE score = 1), 0) AS c1,
    coalesce(sum(answers) FILTER (WHERE score = 2), 0) AS c2,
    coalesce(sum(answers) FILTER (WHERE score = 3), 0) AS c3,
    coalesce(sum(answers) FILTER (WHERE score = 4), 0) AS c4,
    coalesce(sum(answers) FILTER (WHERE score = 5), 0) AS c5,
    coalesce(sum(answers) FILTER (WHERE score = 6), 0) AS c6,
    coalesce(sum(answers) FILTER (WHERE score = 7), 0) AS c7,
    coalesce(sum(answers) FILTER (WHERE score = 8), 0) AS c8,
    coalesce(sum(answers) FILTER (WHERE score = 9), 0) AS c9,
    coalesce(sum(answers) FILTER (WHERE score = 10), 0) AS c10,
    dt
FROM folded
GROUP BY
    tenant, survey, metric, scale, channel, agent, country, browser, os, device,
    tag1, tag2, tag3, tag4, dt

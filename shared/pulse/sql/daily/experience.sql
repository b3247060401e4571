-- daily_experience: answers by what the customer went through before. One row for each tenant, day of
-- the answers and combination of dimensions that occurred.
-- Reads raw_responses and raw_interactions. Parameters: as counted/linked; public_values, as
-- daily/scores_folded.
-- Every answer counts, linked or not: so a day has as many answers here as in daily_scores.
WITH answers AS (
{counted/responses}
),

linked AS (
{counted/linked}
),

cells AS (
    SELECT
        tenant, survey, metric, scale, channel, device,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        score, dt,
        count(*) AS answers,
        bool_and(key_kind = 'publishable') AS public
    FROM linked
    GROUP BY
        tenant, survey, metric, scale, channel, device,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        score, dt
),

sized AS (
    SELECT
        tenant, survey, metric, scale, channel, device,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        score, dt, answers,
        sum(answers) OVER (PARTITION BY tenant, dt, channel) AS channel_answers,
        channel NOT IN ('ticket', 'chat', 'external')
            AND bool_and(public) OVER (PARTITION BY tenant, dt, channel)
            AS channel_public
    FROM cells
),

ranked AS (
    SELECT
        tenant, survey, metric, scale, channel, device,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        score, dt, answers, channel_public,
        dense_rank() OVER (
            PARTITION BY tenant, dt, channel_public ORDER BY channel_answers DESC, channel
        ) AS channel_place
    FROM sized
),

folded AS (
    SELECT
        tenant, survey, metric, scale, device,
        CASE
            WHEN channel_public AND channel_place > :public_values THEN '(other)' ELSE channel
        END AS channel,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        score, dt, answers
    FROM ranked
)

SELECT
    tenant, survey, metric, scale, channel, device,
    media_type, customer_segment, service_type, handled_by AS agent, accept, first_response, finish,
    wait, life, was_abandoned, had_revenue, was_rated, entered_on,
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
    tenant, survey, metric, scale, channel, device,
    media_type, customer_segment, service_type, handled_by, accept, first_response, finish, wait,
    life, was_abandoned, had_revenue, was_rated, entered_on,
    dt

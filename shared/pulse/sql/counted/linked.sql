-- Answers with what their customers went through before: a row for each of the `answers`, linked or not.
-- Reads `answers`, rows of counted/responses that the statement names so, and raw_interactions.
-- Parameters: answered, the days of the answers; first_day, last_day and days, all days that these and
-- their interactions may lie on, as text; link_us; synchronous, as counted/interactions.
-- An answer is linked to the interaction that it names: to the latest that entered before it or with
-- it, at most link_us before. One of which the day alone is known entered twelve hours before the noon
-- that stands for it. Anybody may send what a public key sends, so of that only is linked what is
-- linkable: its link was signed, or its survey allowed it.
-- Interactions and answers are put in one order of days and times, where each answer belongs to the
-- interaction before it. So each is read once; a join would meet an id's every interaction with its
-- every answer. Days come first, because interactions of a later day are read only where that day is
-- built, too: what links to what must not depend on which days are built together. Within its day one of
-- which the day alone is known comes first, also where that day has not twelve hours before noon.
SELECT
    tenant,
    survey, metric, scale, response_id, key_kind, answered_us, score, channel, agent, country,
    browser, os, device, interaction, comment, tags,
    CASE WHEN is_linked THEN media_type END AS media_type,
    CASE WHEN is_linked THEN customer_segment END AS customer_segment,
    CASE WHEN is_linked THEN service_type END AS service_type,
    CASE WHEN is_linked THEN handled_by END AS handled_by,
    CASE WHEN is_linked THEN accept END AS accept,
    CASE WHEN is_linked THEN first_response END AS first_response,
    CASE WHEN is_linked THEN finish END AS finish,
    CASE WHEN is_linked THEN wait END AS wait,
    CASE WHEN is_linked THEN life END AS life,
    CASE WHEN is_linked THEN was_abandoned END AS was_abandoned,
    CASE WHEN is_linked THEN had_revenue END AS had_revenue,
    CASE WHEN is_linked THEN was_rated END AS was_rated,
    CASE WHEN is_linked THEN entered_on END AS entered_on,
    dt
FROM (
    SELECT
        tenant,
        survey, metric, scale, response_id, key_kind, answered_us, score, channel, agent, country,
        browser, os, device, interaction, comment, tags,
        media_type, customer_segment, service_type, handled_by, accept, first_response, finish,
        wait, life, was_abandoned, had_revenue, was_rated, entered_on,
        dt,
        entered_place_us <= at_us AND at_us - entered_us <= :link_us AS is_linked
    FROM (
        SELECT
            tenant, at_us, answer,
            survey, metric, scale, response_id, key_kind, answered_us, score, channel, agent,
            country, browser, os, device, interaction, comment, tags,
            dt,
            max(media_type) OVER (PARTITION BY tenant, subject, place) AS media_type,
            max(customer_segment) OVER (PARTITION BY tenant, subject, place) AS customer_segment,
            max(service_type) OVER (PARTITION BY tenant, subject, place) AS service_type,
            max(handled_by) OVER (PARTITION BY tenant, subject, place) AS handled_by,
            max(accept) OVER (PARTITION BY tenant, subject, place) AS accept,
            max(first_response) OVER (PARTITION BY tenant, subject, place) AS first_response,
            max(finish) OVER (PARTITION BY tenant, subject, place) AS finish,
            max(wait) OVER (PARTITION BY tenant, subject, place) AS wait,
            max(life) OVER (PARTITION BY tenant, subject, place) AS life,
            max(was_abandoned) OVER (PARTITION BY tenant, subject, place) AS was_abandoned,
            max(had_revenue) OVER (PARTITION BY tenant, subject, place) AS had_revenue,
            max(was_rated) OVER (PARTITION BY tenant, subject, place) AS was_rated,
            max(entered_on) OVER (PARTITION BY tenant, subject, place) AS entered_on,
            max(CASE WHEN answer = 0 THEN at_us END) OVER (PARTITION BY tenant, subject, place)
                AS entered_us,
            max(CASE WHEN answer = 0 THEN place_us END) OVER (PARTITION BY tenant, subject, place)
                AS entered_place_us
        FROM (
            SELECT
                tenant, subject, at_us, answer,
                survey, metric, scale, response_id, key_kind, answered_us, score, channel, agent,
                country, browser, os, device, interaction, comment, tags,
                media_type, customer_segment, service_type, handled_by, accept, first_response,
                finish, wait, life, was_abandoned, had_revenue, was_rated, entered_on,
                place_us, dt,
                sum(1 - answer) OVER (
                    PARTITION BY tenant, subject ORDER BY dt, place_us, answer
                ) AS place
            FROM (
                SELECT
                    tenant,
                    CASE
                        WHEN (key_kind = 'secret' OR linkable) AND interaction IS NOT NULL
                            THEN 'i' || interaction
                        ELSE 'r' || response_id
                    END AS subject,
                    answered_us AS at_us,
                    answered_us AS place_us,
                    1 AS answer,
                    survey, metric, scale, response_id, key_kind, answered_us, score, channel,
                    agent, country, browser, os, device, interaction, comment, tags,
                    CAST(NULL AS varchar) AS media_type, CAST(NULL AS varchar) AS customer_segment,
                    CAST(NULL AS varchar) AS service_type, CAST(NULL AS varchar) AS handled_by,
                    CAST(NULL AS varchar) AS accept, CAST(NULL AS varchar) AS first_response,
                    CAST(NULL AS varchar) AS finish, CAST(NULL AS varchar) AS wait,
                    CAST(NULL AS varchar) AS life, CAST(NULL AS varchar) AS was_abandoned,
                    CAST(NULL AS varchar) AS had_revenue, CAST(NULL AS varchar) AS was_rated,
                    CAST(NULL AS varchar) AS entered_on,
                    dt
                FROM answers
                WHERE contains(:answered, dt)
                UNION ALL
                SELECT
                    tenant,
                    'i' || interaction_id AS subject,
                    CASE WHEN entered_by_day THEN entered_us - 43200000000 ELSE entered_us END AS at_us,
                    CASE WHEN entered_by_day THEN 0 ELSE entered_us END AS place_us,
                    0 AS answer,
                    CAST(NULL AS varchar) AS survey, CAST(NULL AS varchar) AS metric,
                    CAST(NULL AS varchar) AS scale, CAST(NULL AS varchar) AS response_id,
                    CAST(NULL AS varchar) AS key_kind, CAST(NULL AS bigint) AS answered_us,
                    CAST(NULL AS int) AS score, CAST(NULL AS varchar) AS channel,
                    CAST(NULL AS varchar) AS agent, CAST(NULL AS varchar) AS country,
                    CAST(NULL AS varchar) AS browser, CAST(NULL AS varchar) AS os,
                    CAST(NULL AS varchar) AS device, CAST(NULL AS varchar) AS interaction,
                    CAST(NULL AS varchar) AS comment, CAST(NULL AS map(varchar, varchar)) AS tags,
                    media_type, customer_segment, service_type, agent AS handled_by,
                    CASE
                        WHEN accept_threshold_us IS NULL THEN 'no_threshold'
                        WHEN NOT accepted THEN 'never'
                        WHEN accept_us BETWEEN 0 AND accept_threshold_us THEN 'in_time'
                        WHEN accept_us > accept_threshold_us THEN 'late'
                    END AS accept,
                    CASE
                        WHEN first_response_threshold_us IS NULL THEN 'no_threshold'
                        WHEN NOT responded THEN 'never'
                        WHEN first_response_us BETWEEN 0 AND first_response_threshold_us THEN 'in_time'
                        WHEN first_response_us > first_response_threshold_us THEN 'late'
                    END AS first_response,
                    CASE
                        WHEN finish_threshold_us IS NULL THEN 'no_threshold'
                        WHEN NOT finished THEN 'never'
                        WHEN finish_us BETWEEN 0 AND finish_threshold_us THEN 'in_time'
                        WHEN finish_us > finish_threshold_us THEN 'late'
                    END AS finish,
                    CASE
                        WHEN accept_us < 0 THEN NULL
                        WHEN accept_us < 10000000 THEN '0-10s'
                        WHEN accept_us < 30000000 THEN '10-30s'
                        WHEN accept_us < 60000000 THEN '30-60s'
                        WHEN accept_us < 120000000 THEN '1-2min'
                        WHEN accept_us < 300000000 THEN '2-5min'
                        WHEN accept_us < 900000000 THEN '5-15min'
                        WHEN accept_us < 3600000000 THEN '15-60min'
                        WHEN accept_us < 14400000000 THEN '1-4h'
                        WHEN accept_us < 86400000000 THEN '4-24h'
                        WHEN accept_us IS NOT NULL THEN 'over-24h'
                    END AS wait,
                    CASE
                        WHEN finish_us < 0 THEN NULL
                        WHEN finish_us < 10000000 THEN '0-10s'
                        WHEN finish_us < 30000000 THEN '10-30s'
                        WHEN finish_us < 60000000 THEN '30-60s'
                        WHEN finish_us < 120000000 THEN '1-2min'
                        WHEN finish_us < 300000000 THEN '2-5min'
                        WHEN finish_us < 900000000 THEN '5-15min'
                        WHEN finish_us < 3600000000 THEN '15-60min'
                        WHEN finish_us < 14400000000 THEN '1-4h'
                        WHEN finish_us < 86400000000 THEN '4-24h'
                        WHEN finish_us IS NOT NULL THEN 'over-24h'
                    END AS life,
                    CASE WHEN abandoned THEN 'yes' ELSE 'no' END AS was_abandoned,
                    CASE WHEN revenue <> 0 THEN 'yes' ELSE 'no' END AS had_revenue,
                    CASE WHEN satisfaction IS NOT NULL THEN 'yes' ELSE 'no' END AS was_rated,
                    dt AS entered_on,
                    dt
                FROM (
{counted/durations}
                ) AS timed
            ) AS told
        ) AS placed
    ) AS followed
    WHERE answer = 1
) AS reached

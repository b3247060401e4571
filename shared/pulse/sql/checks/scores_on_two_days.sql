-- Identities that stand on more than one day: the same id sent with another answered_at.
-- Each of them counts once a day. Reads raw_responses. Parameters: first_day, last_day, as text.
SELECT tenant, survey, key_kind, response_id, count(DISTINCT dt) AS days
FROM raw_responses
WHERE dt BETWEEN :first_day AND :last_day
GROUP BY tenant, survey, key_kind, response_id
HAVING count(DISTINCT dt) > 1
ORDER BY tenant, survey, key_kind, response_id
LIMIT 100

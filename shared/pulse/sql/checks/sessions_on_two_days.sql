-- Identities that stand on more than one day: the same id sent with another day.
-- Each of them counts once a day. Reads raw_sessions. Parameters: first_day, last_day, as text.
SELECT tenant, session_id, count(DISTINCT dt) AS days
FROM raw_sessions
WHERE dt BETWEEN :first_day AND :last_day
GROUP BY tenant, session_id
HAVING count(DISTINCT dt) > 1
ORDER BY tenant, session_id
LIMIT 100

-- Identities that stand on more than one day: the same id sent with another entered_at.
-- Each of them counts once a day. Reads raw_interactions. Parameters: first_day, last_day, as text.
SELECT tenant, interaction_id, count(DISTINCT dt) AS days
FROM raw_interactions
WHERE dt BETWEEN :first_day AND :last_day
GROUP BY tenant, interaction_id
HAVING count(DISTINCT dt) > 1
ORDER BY tenant, interaction_id
LIMIT 100

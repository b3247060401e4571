-- Whom updates in raw_interactions name: how many a customer, how many others. Grain: a hash of an
-- interaction's id; those of which an update names the customer, and those that carry a hash.
-- Parameters: tenant; received_us, the latest; customers, the hashes of the customer's id; hashes,
-- hashes; the texts that hashes begin with; first_day and last_day, as text. Erasing finds with it
-- whose interactions are.
SELECT
    interaction,
    count_if(contains(:customers, named)) AS theirs,
    count_if(NOT contains(:customers, named)) AS others
FROM (
    SELECT
        lower(to_hex(sha256(to_utf8(:interaction_prefix || interaction_id)))) AS interaction,
        lower(to_hex(sha256(to_utf8(:customer_prefix || customer)))) AS named
    FROM raw_interactions
    WHERE dt BETWEEN :first_day AND :last_day
        AND tenant = :tenant
        AND received_us <= :received_us
        AND customer IS NOT NULL
) AS updates
GROUP BY interaction
HAVING count_if(contains(:customers, named)) > 0 OR contains(:hashes, interaction)

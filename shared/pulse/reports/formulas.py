"""The formulas behind the figures, by the versioned ids that replies echo (docs/metrics.md).

With c_k responses of score k: n = Σ c_k. Percentages and averages are exact ratios of whole
numbers, rounded once to two decimals (money to four), half to even. Moments and durations are
whole microseconds; T is the threshold that was in force when the interaction entered.
"""

from collections.abc import Mapping

FORMULAS: Mapping[str, str] = {
    "csat_pct@1": "100 × satisfied / n",
    "nps@1": "100 × (promoters − detractors) / n",
    "ces_pct@1": "100 × easy / n",
    "score@1": "the headline of the row's metric: csat_pct, nps or ces_pct",
    "average@1": "Σ k × c_k / n, in the scale's units",
    "median@1": "the middle one of the n scores in order; for an even n, the mean of the two "
    "middle ones",
    "share_pct@1": "100 × responses of the row / responses of the same metric, scale and period, "
    "after filters and over all pages",
    "interval@1": "95 %, z = 1.959964. csat_pct and ces_pct: Wilson, centre "
    "(p + z²/2n) / (1 + z²/n), half z × √(p(1−p)/n + z²/4n²) / (1 + z²/n). nps: adjusted Wald "
    "(Lewis & Sauro 2021), n' = n + 3, p' = (promoters + ¾)/n', d' = (detractors + ¾)/n', "
    "x = p' − d', 100 × (x ± z × √((p' + d' − x²)/n')), within −100 and 100. Widened to contain "
    "the score where it does not",
    "adjusted_score@1": "the mean of all agents' y + (own mean − Σ n_s × m_s / n), y being an "
    "answer's part of the headline, and m_s the other agents' mean in a stratum s, of which the "
    "agent has n_s answers",
    "differs@1": "the sign of z = (Σ own y − Σ n_s × m_s) / √(Σ n_s × v_s + n_s² × v_s / N_s), "
    "v_s and N_s being the others' variance and number, where that is significant after "
    "Benjamini-Hochberg at 5 % over all agents with at least 10 answers",
    "response_ratio@1": "Σ replies / accepted",
    "accept_service_level_pct@1": "100 × (accepted_at − entered_at ≤ T_accept) / offered with a "
    "T_accept",
    "first_response_service_level_pct@1": "100 × (first_response_at − entered_at ≤ "
    "T_first_response) / offered with a T_first_response",
    "finished_service_level_pct@1": "100 × (finished_at − entered_at ≤ T_finish) / finished with "
    "a T_finish",
    "avg_accept_time@2": "Σ (accepted_at − entered_at) / accepted, over those of which it is known",
    "avg_first_response_time@2": "Σ (first_response_at − entered_at) / responded, over "
    "those of which it is known; of synchronous media, accepted_at where there is no "
    "first_response_at",
    "avg_finish_response_time@2": "Σ (finished_at − entered_at) / finished with a response, over "
    "those of which it is known",
    "avg_satisfaction@1": "Σ satisfaction / interactions with one recorded",
    "avg_revenue@1": "Σ revenue / interactions with one recorded that is not zero, per currency",
    "avg_handle_time@2": "Σ (finished_at − accepted_at) / accepted and finished, over "
    "those of which it is known",
    "engaged_pct@1": "100 × Σ engaged_seconds / Σ active_seconds, of agent sessions",
    "revenue@1": "Σ revenue, per currency",
}

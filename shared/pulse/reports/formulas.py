"""The formulas behind the figures, by the versioned ids that replies echo (METRICS.md).

With c_k responses of score k: n = Σ c_k. Percentages and averages are exact ratios of whole
numbers, rounded once to two decimals, half to even.
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
}

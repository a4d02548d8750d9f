"""Whether a difference is smaller than what matters: two one-sided tests.

That no difference is shown does not show that there is none. Two columns are equivalent where
it is shown that the difference is more than -margin, and also that it is less than +margin
(Schuirmann, "A Comparison of the Two One-Sided Tests Procedure and the Power Approach for
Assessing the Equivalence of Average Bioavailability", Journal of Pharmacokinetics and
Biopharmaceutics 15, 1987); here by the same tests of ranks as the difference itself.
"""

from collections.abc import Sequence

from ipvsload.statistics.mann_whitney import mann_whitney
from ipvsload.statistics.signed_rank import signed_rank


def equivalence_of_pairs(differences: Sequence[float], margin: float) -> float:
    """The p-value of paired differences; `margin` is in their unit and positive."""
    return max(
        signed_rank([d + margin for d in differences]).greater,
        signed_rank([d - margin for d in differences]).less,
    )


def equivalence_of_samples(a: Sequence[float], b: Sequence[float], margin: float) -> float:
    """The p-value of two samples that are not paired."""
    return max(
        mann_whitney(a, [y + margin for y in b]).greater,
        mann_whitney(a, [y - margin for y in b]).less,
    )

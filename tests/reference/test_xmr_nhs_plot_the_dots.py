"""XmR limits against two published examples.

NHS-R Community, NHSRplotthedots (the charts of NHS England's Making Data Count), expected output of its own test of
20 standard normal values (R, set.seed(123)): mean, lower and upper process limit, for all and for each half.
NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.2: flow rate of ten batches, limits 45.8159 and 55.8041
from 3/1.128, where the NHS and Wheeler round the factor to 2.66.
"""

import pandas as pd
import pytest

from evalkit.monitor.run_chart import run_chart

THREE_FIGURES = 6e-3
FACTOR_ROUNDED = 1e-3
NORMAL = [
    -0.560475646552213, -0.230177489483280, 1.558708314149124, 0.070508391424576, 0.129287735160946, 1.715064986883281,
    0.460916205989202, -1.265061234606534, -0.686852851893526, -0.445661970099958, 1.224081797439462, 0.359813827057364,
    0.400771450594052, 0.110682715945120, -0.555841134754075, 1.786913136803078, 0.497850478229239, -1.966617156629638,
    0.701355901563686, -0.472791407727934,
]  # fmt: skip
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def chart(values, **options):
    frame = pd.DataFrame({"period": range(1, len(values) + 1), "value": values})
    return run_chart(frame, period="period", outcome="value", **options)


def limits(result, row):
    return result.detail["points"].loc[row, ["centre", "lower", "upper"]].astype(float).tolist()


def test_twenty_values_as_the_nhs_package_prints_them():
    result = chart(NORMAL, run=7, trend=7)
    assert limits(result, 0) == pytest.approx([0.142, -3.01, 3.29], abs=THREE_FIGURES)
    assert result.check("special_cause").statistic == 0


def test_limits_start_afresh_at_a_step():
    result = chart(NORMAL, steps=[11])
    assert limits(result, 9) == pytest.approx([0.0746, -2.60, 2.75], abs=THREE_FIGURES)
    assert limits(result, 10) == pytest.approx([0.209, -3.28, 3.70], abs=THREE_FIGURES)
    assert result.detail["points"]["segment"].tolist() == [1] * 10 + [2] * 10


def test_flow_rate_of_the_nist_handbook():
    result = chart(FLOW)
    assert limits(result, 0) == pytest.approx([50.81, 45.8159, 55.8041], abs=FACTOR_ROUNDED)
    assert result.check("special_cause").reading == "No point is a signal."
    head = result.headline
    assert (head.term, head.estimate) == ("latest", 52.1)
    assert (head.conf_low, head.conf_high) == pytest.approx((45.8159, 55.8041), abs=FACTOR_ROUNDED)


def test_outlying_point_of_the_nhs_vignette_is_the_one_signal():
    values = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
    points = chart(values).detail["points"]
    # mean 35/18 = 1.944; moving ranges 15 of 1, one of 8, one of 9: 32/17 = 1.882
    assert limits(chart(values), 0) == pytest.approx(
        [35 / 18, 35 / 18 - 2.66 * 32 / 17, 35 / 18 + 2.66 * 32 / 17]
    )
    assert points.loc[points["rule"] != "", ["value", "signal", "rule"]].values.tolist() == [
        [10, "high", "beyond a limit"]
    ]

"""How closely a number must agree with its reference, by kind of quantity, and why."""

EXACT = 1e-12  # closed forms in double precision: only the order of the sums differs
COEFFICIENT = 1e-6  # published or frozen to ten digits; both sides solve the same equations
STANDARD_ERROR = (
    1e-4  # same convention on both sides, but conventions round their small-sample factors differently
)
P_VALUE = 1e-4  # inherits the standard error's tolerance
PRINTED = 5e-4  # a source that prints three or four digits
POUND = 0.5  # money that a source prints to the whole pound
SPLIT = 2.0  # shares of a cost, each printed to the whole pound, against the whole
SIMULATION = 4.0  # standard errors of a Monte Carlo mean: one in 16,000 seeds would lie further away
PRINTED_SIX = 1e-6  # a source that prints six decimal places

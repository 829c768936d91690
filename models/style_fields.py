"""Arrays of a batch of styles.

B customers of up to T steps each, padded at the end; a step is a purchase or an order. R rows are the steps that are
learned, with C candidates each: P that were bought, then n that were in store and were not. D units of a vector.
"""

PAST_VECTORS = "past_vectors"
"""float32 [B, T, D]: article of the step before, or the mean of its articles; zeros at the first step."""
STEP_TIMES = "step_times"
"""float32 [B, T, TIME_FEATURES]: of the step itself and of the one before."""
PROFILES = "profiles"
"""float32 [B, T, J, D]: means of the vectors bought before the step, one per decay."""
ROWS = "rows"
"""int32 [R]: step of each row, counted over customers: customer * T + step."""
CANDIDATE_VECTORS = "candidate_vectors"
"""float32 [R, C, D]."""
CANDIDATE_SIGNALS = "candidate_signals"
"""float32 [R, C, S]: how the candidate sells as of the row's day."""
CANDIDATE_OWN = "candidate_own"
"""float32 [R, C, O]: what the customer did with the candidate before; the first one says whether they bought it.

Where views are delivered the last N_VIEW_SIGNALS are of those; the first of them says whether there is one."""
VIEWED = "viewed"
"""float32 [R, K, D]: means of the vectors viewed before the row's day, one per decay; where views are delivered."""
CANDIDATE_WEIGHTS = "candidate_weights"
"""float32 [R, C]: how much a bought one counts, and 1 for one that was not; 0 for padding."""

TIME_FEATURES = ("first", "gap", "size", "season_sin", "season_cos", "season_before_sin", "season_before_cos")
N_TIME_FEATURES = len(TIME_FEATURES)
VIEW_SIGNALS = ("viewed", "times", "decayed_2", "decayed_14", "days_since")
N_VIEW_SIGNALS = len(VIEW_SIGNALS)

"""What data or settings do not allow, said in one line for the operator."""


class Refusal(ValueError):
    """There is nothing to compute from this data with these settings; the message says why and what to change.

    A fault of the code is another ValueError, which keeps its trace.
    """

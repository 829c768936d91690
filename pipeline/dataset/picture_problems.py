"""Why a picture of an article cannot be used; nothing here opens one."""

MISSING, NO_IMAGE, TRUNCATED = "missing", "not an image", "truncated"
TOO_LARGE, UNKNOWN_MODE = "too many pixels", "unknown mode"
PROBLEMS = (MISSING, NO_IMAGE, TRUNCATED, TOO_LARGE, UNKNOWN_MODE)

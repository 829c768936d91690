"""The next actions of every open case."""

from datetime import date

from pipeline.tables.contract import Column, Table

ACTION_PLANS = Table(
    name="action_plans",
    grain="one open case",
    key=("case_id",),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("case_id", "string", "case"),
        Column("agent", "string", "who did the latest action", nullable=True),
        Column("last_action", "string", "the latest action"),
        Column("last_acted_on", "date", "day of it", minimum=date(1970, 1, 2)),
        Column(
            "steps",
            "array<struct<action:string,probability:double,days:double>>",
            "the actions to come; the first one's probability, and the days before each where a model says them",
        ),
        Column("next_action", "string", "the first of them"),
        Column("next_probability", "double", "that it is the next action", minimum=0.0, maximum=1.0),
        Column("remaining_steps", "double", "expected actions to the end of the case", unit="actions", minimum=0.0),
        Column(
            "plan_probability",
            "double",
            "that exactly these actions follow; empty without a model",
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "remaining_days",
            "double",
            "expected days to the end of the case; empty without a model",
            unit="days",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "win_probability",
            "double",
            "that the case is won; empty where the source knows no outcomes",
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "best_action",
            "string",
            "of the three likeliest next actions, the one after which most such cases were won; no cause is claimed",
            nullable=True,
        ),
        Column(
            "best_win_probability",
            "double",
            "that the case is won, read after best_action",
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "attention",
            "array<double>",
            "weight of each of the case's latest actions in the prediction of the next one, oldest first",
        ),
        Column(
            "attribute_effects",
            "array<struct<attribute:string,effect:double>>",
            "probability of next_action, less its mean over what the attribute is in other cases",
        ),
        Column("fallback", "string", "why no model predicted it; empty where one did", nullable=True),
        Column("model_version", "string", "registered model and version, or `medoid`"),
        Column("business_date", "date", "actions before it were known", minimum=date(1970, 1, 2)),
    ),
)

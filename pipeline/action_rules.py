"""What of `[actions]` of a source's description says how cases teach: by their outcome, and by who worked on them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ActionRules(BaseModel):
    """Weights of cases in training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lost_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how much a lost case teaches of the actions; a won one, or one of unknown outcome, has 1",
        examples=[0.2],
    )
    agent_weight: Literal["equal", "won_share"] = Field(
        "equal",
        description="how much an agent's cases teach: all alike, or by the share of the agent's cases that were won",
        examples=["won_share"],
    )

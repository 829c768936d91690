"""How a sales team's files are written: what was done in each case, and what is known of it from its beginning."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.action_rules import ActionRules
from pipeline.sources.layout import Columns, TableFiles
from pipeline.sources.time_format import checked_format

# What we call the columns of attributes and numbers while lines are read.
CASE_ATTRIBUTE, CASE_NUMBER = "case_attribute_", "case_number_"
_NAME = re.compile("[a-z][a-z0-9_]*")


class ActionColumns(Columns):
    """Header names of the action files."""

    case: str = Field(description="number of the case, deal or ticket", examples=["deal"])
    acted_at: str = Field(description="time of the action, by `time_format`", examples=["time"])
    action: str = Field(description="what was done", examples=["activity"])
    agent: str | None = Field(None, description="who did it", examples=["rep"])
    outcome: str | None = Field(
        None, description="how the case ended; of several lines of a case the last that says it", examples=["result"]
    )


class ActionFiles(TableFiles, ActionRules):
    """What was done in each case. All files are read every time."""

    files: str = Field(description="one path or a pattern with *", examples=["actions/*.csv"])
    columns: ActionColumns
    time_format: str = Field(
        "%Y-%m-%d %H:%M:%S", description="of acted_at, as strptime reads it", examples=["%d.%m.%Y %H:%M"]
    )
    duplicates: Literal["reject", "keep"] = Field(
        "reject",
        description="what becomes of a line that says the same case, time, action and agent again",
        examples=["keep"],
    )
    won_values: tuple[str, ...] = Field(
        ("won",), description="outcomes of a won case, in small or capital letters", examples=[["signed"]]
    )
    lost_values: tuple[str, ...] = Field(
        ("lost",),
        description="outcomes of a lost case; one that is neither says that the case is open",
        examples=[["declined", "no reply"]],
    )
    end_actions: tuple[str, ...] = Field(
        (), description="without outcomes: actions that end a case", examples=[["close ticket"]]
    )
    idle_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="without outcomes: a case has ended in which nothing was done for so many days",
        examples=[30],
    )

    _check_format = field_validator("time_format")(checked_format)

    @model_validator(mode="after")
    def _outcomes_differ(self) -> "ActionFiles":
        both = {each.lower() for each in self.won_values} & {each.lower() for each in self.lost_values}
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is both in won_values and in lost_values")
        return self

    @property
    def rules(self) -> ActionRules:
        """What training needs of this."""
        return ActionRules(lost_weight=self.lost_weight, agent_weight=self.agent_weight)


class CaseColumns(Columns):
    """Header names of the case files."""

    case: str = Field(description="number of the case, as in the actions", examples=["deal"])
    outcome: str | None = Field(None, description="how the case ended; empty while it is open", examples=["result"])


class CaseFiles(TableFiles):
    """What is known of a case from its beginning; of two lines of one case the last counts."""

    files: str = Field(description="one path or a pattern with *", examples=["deals.csv"])
    columns: CaseColumns
    attributes: dict[str, str] = Field(
        {}, description="our name = the column with a category", examples=[{"segment": "customer group"}]
    )
    numbers: dict[str, str] = Field(
        {}, description="our name = the column with a number", examples=[{"employees": "staff"}]
    )

    @field_validator("attributes", "numbers")
    @classmethod
    def _plain_names(cls, named: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in named if not _NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no name; write small letters, digits and _, such as segment")
        return named

    @property
    def read_columns(self) -> dict[str, str]:
        """Our name -> the retailer's name, or the key that makes it constant."""
        attributes = {CASE_ATTRIBUTE + name: theirs for name, theirs in self.attributes.items()}
        numbers = {CASE_NUMBER + name: theirs for name, theirs in self.numbers.items()}
        return super().read_columns | attributes | numbers

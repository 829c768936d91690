"""A simulated sales team: cases of customers, each a row of actions, with the truth about how they should go.

Every customer has a right procedure, which its attributes decide: how it is approached first, whether it is visited,
what follows the offer. A step also depends on what was done: after a discount nobody negotiates. Agents follow the
procedure as far as they are able to: an action is replaced by one at random with the agent's own probability, a quarter
over all agents. The fewer actions went astray, the likelier the case is won. `right_remainder` is what a perfect knower
of the generator would predict.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

ACTIONS = (
    "call",
    "email",
    "send brochure",
    "visit",
    "demonstrate",
    "send offer",
    "give discount",
    "negotiate",
    "ask for references",
    "sign contract",
)
SEGMENTS = ("private", "small business", "company", "public")
CHANNELS = ("fair", "web", "recommended")
REGIONS = ("north", "south", "east", "west")
_USUAL_SIZE, _SIZE_SPREAD, _LARGE = 3.0, 0.8, 25.0
_LOG_ODDS_OF_A_RIGHT_CASE, _LOG_ODDS_PER_ERROR = 1.8, -0.9
_MEAN_HOURS_BETWEEN = {"call": 20.0, "email": 30.0, "visit": 90.0, "negotiate": 60.0}
_USUAL_HOURS = 45.0
_OPENING, _CLOSING = 8, 18


class SalesSettings(BaseModel):
    """What decides the files of the simulated sales team, byte for byte."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cases: int = Field(4000, ge=10)
    agents: int = Field(24, ge=1)
    days: int = Field(360, ge=30)
    first_day: date = date(2025, 1, 6)
    seed: int = Field(7, ge=0)
    random_share: float = Field(0.25, ge=0.0, le=0.9)

    @property
    def business_date(self) -> date:
        """The day after the last recorded action."""
        return self.first_day + timedelta(days=self.days)


@dataclass(frozen=True)
class SalesCase:
    """One customer, and how the sale went."""

    case: str
    agent: str
    segment: str
    channel: str
    region: str
    employees: float
    actions: tuple[str, ...]
    times: tuple[datetime, ...]
    won: bool


def right_remainder(segment: str, channel: str, employees: float, done: tuple[str, ...]) -> tuple[str, ...]:
    """The actions that still belong to the procedure, given how many were done and whether a discount was given."""
    steps = ["call"] if channel == "recommended" else ["email", "call"]
    steps += ["send brochure"] if segment in ("private", "public") else ["visit", "demonstrate"]
    if employees >= _LARGE:
        steps += ["ask for references"]
    steps += ["send offer"]
    if channel == "fair":
        steps += ["give discount"]
    if segment in ("company", "public"):
        steps += ["negotiate"]
    steps += ["sign contract"]
    if "negotiate" in steps:
        position = steps.index("negotiate")
        # Given already, or due before the negotiation.
        if "give discount" in (*done[:position], *steps[len(done) : position]):
            steps.remove("negotiate")
    return tuple(steps[len(done) :])


def simulate_cases(settings: SalesSettings) -> list[SalesCase]:
    """All cases in order of their start."""
    random = np.random.default_rng(settings.seed)
    error_rates = _error_rates(settings, random)
    starts = np.sort(random.uniform(0, settings.days, settings.cases))
    return [
        _case(number, float(start), settings, error_rates, np.random.default_rng([settings.seed, number]))
        for number, start in enumerate(starts)
    ]


def _error_rates(settings: SalesSettings, random: np.random.Generator) -> np.ndarray:
    """Each agent's probability of an action at random; their mean is the share of the settings."""
    rates = random.beta(2.0, 6.0, settings.agents)
    return np.clip(rates * settings.random_share / rates.mean(), 0.0, 0.95)


def _case(
    number: int, start: float, settings: SalesSettings, error_rates: np.ndarray, random: np.random.Generator
) -> SalesCase:
    agent = int(random.integers(settings.agents))
    segment = SEGMENTS[random.choice(len(SEGMENTS), p=(0.35, 0.3, 0.2, 0.15))]
    channel = CHANNELS[random.choice(len(CHANNELS), p=(0.2, 0.5, 0.3))]
    employees = 0.0 if segment == "private" else float(np.ceil(random.lognormal(_USUAL_SIZE, _SIZE_SPREAD)))
    done: tuple[str, ...] = ()
    errors = 0
    while rest := right_remainder(segment, channel, employees, done):
        action = rest[0]
        if random.random() < error_rates[agent]:
            action = ACTIONS[random.integers(len(ACTIONS))]
            errors += action != rest[0]
        done = (*done, action)
    log_odds = _LOG_ODDS_OF_A_RIGHT_CASE + _LOG_ODDS_PER_ERROR * errors
    return SalesCase(
        case=f"K{number:05d}",
        agent=f"agent {agent + 1:02d}",
        segment=segment,
        channel=channel,
        region=REGIONS[random.integers(len(REGIONS))],
        employees=employees,
        actions=done,
        times=_times(done, settings.first_day, start, random),
        won=bool(random.random() < 1.0 / (1.0 + np.exp(-log_odds))),
    )


def _times(
    actions: tuple[str, ...], first_day: date, start: float, random: np.random.Generator
) -> tuple[datetime, ...]:
    """Moments in office hours, each some hours after the one before, by what is done."""
    moment = datetime.combine(first_day, time()) + timedelta(days=start)
    times = []
    for position, action in enumerate(actions):
        if position > 0:
            moment += timedelta(hours=float(random.gamma(2.0, _MEAN_HOURS_BETWEEN.get(action, _USUAL_HOURS) / 2.0)))
        moment = _in_office_hours(moment).replace(microsecond=0)
        times.append(moment)
        moment += timedelta(minutes=1)
    return tuple(times)


def _in_office_hours(moment: datetime) -> datetime:
    if moment.hour >= _CLOSING:
        moment = (moment + timedelta(days=1)).replace(hour=_OPENING)
    elif moment.hour < _OPENING:
        moment = moment.replace(hour=_OPENING)
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment

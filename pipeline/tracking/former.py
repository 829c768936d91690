"""The champion of before a registered name held its task: taken over once, or left with a reason."""

from pipeline.tracking.registry import (
    DIGEST_TAG,
    SOURCE_TAG,
    Registry,
    champion_number,
    connect,
    fetch,
    file_digest,
    load_error,
    store_errors,
)

FORMER_TAG = "taken_over_from"


def adopt_former_champion(registry: Registry) -> list[str]:
    """Register the former name's champion under the task's own name and make it champion there.

    Nothing is done once the task has a version of its own. The file must be whole, have the names of its keys beside
    it, and load; otherwise the task starts anew. Repeating an interrupted take-over completes it.

    Returns: what was done, in words; empty where there was nothing to do.
    """
    task, settings = registry.task, registry.settings
    former = task.former_name(registry.source_name)
    if former is None or registry.champion_number() is not None:
        return []
    made = registry.versions()
    number = champion_number(settings, former)
    if number is None or any(FORMER_TAG not in each for each in made):
        return []
    client = connect(settings)
    if SOURCE_TAG in client.get_registered_model(former).tags:
        return []  # another source's task, whose name happens to be the same
    old, anew = f"{former}/{number}", f"was not taken over, {registry.name} starts anew"
    try:
        champion = fetch(settings, registry.source_name, task, former, number)
    except store_errors() as error:
        return [f"{old} {anew}: its files cannot be fetched: {error}"]
    problems = task.problems(champion.model_path, champion.served(task).tables)
    problems = problems or [f"it does not load: {error}" for error in [load_error(task, champion.model_path)] if error]
    if problems:
        return [f"{old} {anew}: " + "; ".join(problems)]
    stored = client.get_model_version(former, number)
    tags = {**stored.tags, FORMER_TAG: old, DIGEST_TAG: file_digest(champion.model_path)}
    new = (
        str(made[0]["number"])
        if made
        else registry.create_version(str(stored.source), str(stored.run_id), tags, getattr(stored, "model_id", None))
    )
    registry.make_champion(new)
    return [f"{old} was taken over as {registry.name}/{new}"]

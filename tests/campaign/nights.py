"""Several nights of one source that want to start at the same moment: one may, the others are refused."""

import multiprocessing
import time
from collections import Counter
from pathlib import Path

from pipeline.nightly.running import Holder, NightFailed, locked, say_who_holds

FORK = multiprocessing.get_context("fork")
CONTENDERS = 3


def two_at_once(folder: Path, seed: int, seconds: float) -> Counter[str]:
    """Contenders take the source's lock in a loop; whoever holds it appends two lines, which nobody may part."""
    runs, book, counted = folder / "runs", folder / "book", Counter[str]()
    until = time.monotonic() + seconds

    def contend(number: int) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            try:
                with locked(runs) as lock:
                    say_who_holds(lock, Holder(f"night{number}-{turn}", "mark", "larder nightly --stop"))
                    for line in ("begins", "ends"):
                        with book.open("a") as file:
                            file.write(f"{number}-{turn} {line}\n")
            except NightFailed:
                with (folder / "refused").open("a") as file:
                    file.write(f"{seed}\n")

    contenders = [FORK.Process(target=contend, args=(number,)) for number in range(CONTENDERS)]
    for process in contenders:
        process.start()
    for process in contenders:
        process.join()
    lines = book.read_text().splitlines()
    counted["nights"] = len(lines) // 2
    counted["refused"] = len((folder / "refused").read_text().splitlines())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    counted["nights beside another"] = sum(first.split()[0] != second.split()[0] for first, second in pairs)
    return counted

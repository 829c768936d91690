"""One TensorFlow worker: `python -m pipeline.training.worker SPEC TASK`, with its place in the cluster in TF_CONFIG.

TASK is the class of the task as `module:name`. It comes from the launcher and not from a file, so no file names code
that is run; and this room need not import the tasks, which import it.
"""

import os
import sys
import threading
import traceback
from pathlib import Path
from pkgutil import resolve_name

from models.refusal import Refusal
from pipeline.text import one_line
from pipeline.training.spec import TrainingSpec

DONE = b"done\n"
REFUSED = b"refused: "


def main() -> None:
    """Train, say that it is done or why there is nothing to train, and wait to be ended.

    A worker that left while a peer still reads from it would end the peer's last collective with an error, and
    TensorFlow's runtime can hang when it winds down: so all wait until the Spark task ends them, and none winds down.
    """
    report = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orphaned = threading.Thread(target=_leave_with_parent, daemon=True)
    orphaned.start()
    try:
        from pipeline.training.train import train

        train(resolve_name(sys.argv[2])(), TrainingSpec.read(Path(sys.argv[1])))
        said = DONE
    except Refusal as refusal:
        said = REFUSED + f"{one_line(refusal)}\n".encode()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os.write(report, said)
    orphaned.join()


def _leave_with_parent() -> None:
    """End this process when its standard input closes: its Spark task is over, or dead."""
    sys.stdin.buffer.read()
    os._exit(3)


if __name__ == "__main__":
    main()

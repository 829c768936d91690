"""A job that opens its session and ends: what every job costs before it does anything."""

from pipeline.settings import Settings
from spark_jobs.session import arg_parser, open_session


def main(argv: list[str] | None = None) -> None:
    """Open a session, as every job does, and count one row."""
    arg_parser(__doc__).parse_args(argv)
    open_session("nothing", Settings()).range(1).count()


if __name__ == "__main__":
    main()

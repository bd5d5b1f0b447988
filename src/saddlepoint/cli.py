"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import sys
from importlib import import_module

COMMANDS = {
    "train": "train a GAN, or continue a run:  saddlepoint train METHOD --data DATA --images 500000 --out RUN",
    "sample": "pictures and arrays from a run:  saddlepoint sample RUN -n 64 --out grid.png",
    "evaluate": "scores of a run or of a folder of images against a data set",
    "diagnose": "what is wrong with a run:  saddlepoint diagnose RUN",
    "report": "write RUN/report.html, one page that opens offline",
    "demo": "train the default GAN on the bundled real digits and judge it against controls",
    "methods": "the catalogue of methods",
    "metrics": "the catalogue of metrics",
    "experiments": "the experiments of the literature that can be run",
    "reproduce": "run one, published beside measured:  saddlepoint reproduce bilinear",
    "theory": "claims of the theory, both sides evaluated:  saddlepoint theory T02",
    "data": "the data sets that are known by name",
    "show": "one method in full: formula, citation, deviations, value",
}


def usage() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: saddlepoint COMMAND ...        saddlepoint COMMAND --help",
            "",
            "Train, understand and compare generative adversarial networks.",
            "",
            *lines,
            "",
            "  --version  print the version",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 done, 2 bad input (one sentence on standard error), 3 failed training, 130 interrupted."""
    # Threads that wait by spinning slow a busy machine down tenfold; said before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("-h", "--help"):
        print(usage())
        return 0
    if given[0] == "--version":
        from saddlepoint.version import __version__

        print(__version__)
        return 0
    return _command(given[0], given[1:])


def _command(name: str, rest: list[str]) -> int:
    from saddlepoint.errors import InputError, nearest

    try:
        if name not in COMMANDS:
            raise InputError(f"unknown command {name!r}: {nearest(name, COMMANDS)}")
        import_module(f"saddlepoint.commands.{name}").run(rest)
        sys.stdout.flush()  # a reader that has gone is noticed here, not at exit
        return 0
    except InputError as error:
        return _say(str(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except (OSError, MemoryError, RuntimeError) as error:
        return _known(error)


def _known(error: Exception) -> int:
    """Say what a person can mend or has to know; anything else is a fault of the program and goes on as it is."""
    from saddlepoint.errors import out_of_memory

    if isinstance(error, OSError):
        sentence, code = _system(error), 2
    elif out_of_memory(error):
        sentence, code = "out of memory: lower the number of samples, the batch size or the image size", 2
    else:
        sentence, code = str(error) if type(error).__name__ == "TrainingFailed" else None, 3
    if sentence is None:
        raise error
    return _say(sentence, code)


def _say(sentence: str, code: int) -> int:
    print("saddlepoint:", *sentence.split(), file=sys.stderr)  # one line, whatever a library's message holds
    return code


def _system(error: OSError) -> str | None:
    """What the system refused, where that is the person's to mend: no space, no permission, no such place."""
    import errno

    place = error.filename2 or error.filename
    where = f" for {place}" if place else ""
    known = {
        errno.ENOSPC: f"no space left on the device{where}: what was complete is kept; free some and run again",
        errno.EFBIG: f"a file would pass the limit of its size{where}: what was complete is kept; raise the limit",
        errno.EDQUOT: f"the disk quota is used up{where}: what was complete is kept; free some and run again",
        errno.EACCES: f"no permission{where}: give a place that can be written",
        errno.EPERM: f"no permission{where}: give a place that can be written",
        errno.EROFS: f"the file system is read-only{where}: give a place that can be written",
        errno.ENOTDIR: f"a part of the path is a file, not a folder{where}: give another place",
        errno.EISDIR: f"a folder stands where a file is to be written{where}: give a file name",
        errno.ENOENT: f"there is no such place{where}: give one that exists",
        errno.ENAMETOOLONG: "the path is too long for this system: give a shorter one",
    }
    return known.get(error.errno or 0)


if __name__ == "__main__":
    sys.exit(main())

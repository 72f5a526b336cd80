"""Coverage-guided fuzzing of both forms of heads, content and WebSocket frames, for as long as wanted.

    python -m pip install '.[fuzz]'                # atheris, in an environment that has gateway compiled
    python -m tests.fuzz.heads                     # an hour
    python -m tests.fuzz.heads --minutes 3 --corpus build/fuzz
    python -m tests.fuzz.heads --show crash-1a2b   # what a finding is made of

The seeds are the corpora of hostile messages, and frames. A difference ends it with a traceback; libFuzzer writes the
octets that led there to `crash-…` in the folder of the corpus.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.heads", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="default: 60")
    parser.add_argument("--corpus", type=Path, help="folder that inputs are kept in; a temporary one by default")
    parser.add_argument("--show", type=Path, metavar="FILE", help="tell what one input is, and compare it once")
    return parser.parse_args()


def _dictionary_line(word: bytes) -> str:
    octets = "".join(f"\\x{octet:02x}" for octet in word)
    return f'"{octets}"\n'


def _functions(modules: list[ModuleType]) -> Iterator[FunctionType]:
    """All functions and methods that are defined in these modules."""
    for module in modules:
        for made in vars(module).values():
            members = vars(made).values() if isinstance(made, type) else [made]
            for member in members:
                function = getattr(member, "fget", member)
                if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                    yield function


def _fuzz(minutes: float, corpus: Path) -> None:
    import atheris

    from tests.fuzz import forms
    from tests.fuzz.corpus import FRAMES, seeds, words

    if not forms.THERE:
        sys.exit("nothing is compiled here: python hatch_build.py")
    for function in _functions(forms.PLAIN.modules):  # they show the fuzzer which paths there are
        atheris.instrument_func(function)
    corpus.mkdir(parents=True, exist_ok=True)
    for case in seeds():
        seed = forms.encode(case)
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    for number, frames in enumerate(FRAMES):
        for how in range(128, 256, 9):
            (corpus / f"frames-{number}-{how}").write_bytes(bytes([how, 0, 0]) + frames)
    dictionary = corpus.parent / f"{corpus.name}.words"
    dictionary.write_text("".join(_dictionary_line(word) for word in words()))
    options = [f"-max_total_time={minutes * 60:.0f}", f"-dict={dictionary}", f"-artifact_prefix={corpus}/"]
    options += ["-max_len=20010", "-timeout=10", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(corpus), *options], forms.compare_drawn)
    atheris.Fuzz()


def main() -> None:
    """Fuzz until the time is up, or until both forms differ."""
    arguments = _arguments()
    if arguments.show:
        from tests.fuzz import forms

        case = forms.decode(arguments.show.read_bytes())
        sys.stdout.write(f"{case}\n")
        forms.compare_drawn(arguments.show.read_bytes())
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        _fuzz(arguments.minutes, arguments.corpus or Path(name) / "corpus")


if __name__ == "__main__":
    main()

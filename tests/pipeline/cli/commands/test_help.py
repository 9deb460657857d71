"""The help of every command, the completion of shells, and `greeks --version`."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pipeline.cli.main import main, make_parser
from transforms.version import __version__


def commands(
    parser: argparse.ArgumentParser, name: str = "greeks"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from commands(below, f"{name} {word}")


ALL = dict(commands(make_parser()))


def test_all_commands_are_known() -> None:
    assert {
        "greeks download",
        "greeks plan",
        "greeks runs list",
        "greeks runs show",
        "greeks runs compare",
        "greeks doctor",
        "greeks config show",
        "greeks completion",
        "greeks terminal",
    } < set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_command_says_what_it_does_and_gives_two_examples(name: str) -> None:
    text = ALL[name].format_help()
    assert ALL[name].description
    examples = text[text.index("examples:") :]
    word = "greeks" if name == "greeks" else name
    assert len(re.findall(rf"^  {word}", examples, re.MULTILINE)) >= 2


@pytest.mark.parametrize("name", ALL)
def test_the_examples_parse(name: str) -> None:
    import shlex

    epilog = (ALL[name].epilog or "").replace("\\\n", " ")
    for line in re.findall(r"^  greeks (.*)$", epilog, re.MULTILINE):
        arguments = shlex.split(line.partition(" > ")[0])
        parser = make_parser()
        _, rest = parser.parse_known_args(
            [a.replace("run.toml", "x").lstrip("@") for a in arguments]
        )
        # Beam's own flags of object stores are left to Beam.
        assert [word for word in rest if word.startswith("--") and "--s3_" not in word] == []


@pytest.mark.parametrize("name", ALL)
def test_every_flag_is_explained_with_its_unit_and_its_default(name: str) -> None:
    for action in ALL[name]._actions:
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        flag = action.option_strings or action.dest
        assert action.help, flag
        if action.option_strings and action.nargs != 0:
            assert re.search("default|required", action.help), flag
            assert action.metavar or action.choices, flag


@pytest.mark.parametrize("name", ["greeks download", "greeks plan", "greeks terminal"])
def test_many_flags_come_in_groups(name: str) -> None:
    text = ALL[name].format_help()
    loose = text[text.index("options:") :].split("\n\n")[0]
    assert re.findall(r"--\w+", loose) == ["--help"]
    assert "\nusage" not in text[1:]
    if name != "greeks terminal":
        assert text.startswith(f"usage: {name} --symbol SPXW --start_date DATE [FLAG ...]")


def test_the_version_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"greeks {__version__}\n"


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["down"], {"download"}),
        (["download", "--form"], {"--format"}),
        (["download", "--format", "p"], {"parquet"}),
        (["runs", ""], {"list", "show", "compare"}),
        (["plan", "--pro"], {"--probe", "--progress", "--progress_seconds"}),
    ],
)
def test_bash_completes_commands_flags_and_values(
    words: list[str], completed: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    call = (
        f"{script}\nCOMP_WORDS=(greeks {' '.join(word or repr('') for word in words)})\n"
        f"COMP_CWORD={len(words)}\n_shtab_greeks\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=False)
    assert completed <= set(done.stdout.split()), done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_have_a_script_too(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "download" in capsys.readouterr().out

"""The README and the pages of docs/: their code is run, and prints what they show."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas
import polars
import pytest
import tomli

from pipeline.cli.commands import COMMANDS
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from tests.support.documents import DOCUMENTS, TOP, Block, blocks, missing
from tests.support.object_store import KEY, SECRET, ObjectStore, object_store

SPXW = ["--symbol", "SPXW", "--start_date", "2024-03-14", "--terminal", "embedded"]
LANGUAGES = {"console", "python", "sql", "json", "toml", "sed", "text"}
# Commands that ask the Terminal of this machine where no flag names another.
ASKING = re.compile(r"greeks (?:download|plan)\b|run_local\.sh download\b")


def mark(name: str) -> list[pytest.MarkDecorator]:
    """The README is run with the fast tests, the pages with all of them."""
    return [] if name == "README.md" else [pytest.mark.slow]


SESSIONS = [
    pytest.param(name, marks=mark(name))
    for name in dict.fromkeys(block.document for block in blocks("console"))
]
PYTHON = [
    pytest.param(block, id=str(block), marks=mark(block.document)) for block in blocks("python")
]
SQL = [pytest.param(block, id=str(block), marks=mark(block.document)) for block in blocks("sql")]


@pytest.fixture(scope="session")
def downloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's download, as CSV and as Parquet."""
    made = tmp_path_factory.mktemp("documents")
    parquet = ["--format", "parquet", "--output", "data/spxw", "--underlying_prices"]
    greeks_here(made, "download", *SPXW, *parquet)
    greeks_here(made, "download", *SPXW)
    return made


@pytest.fixture
def folder(downloaded: Path, tmp_path: Path) -> Path:
    """A copy of it, for commands that change it."""
    shutil.copytree(downloaded / "data", tmp_path / "data", copy_function=os.link)
    return tmp_path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This checkout without data, already installed with the Python that runs the tests."""
    for name in ("run_local.sh", "setup.py", "pyproject.toml", "pipeline", "transforms", "tests"):
        (tmp_path / name).symlink_to(TOP / name)
    for name in (
        "mkdocs.yml",
        "docs",
        "CHANGELOG.md",
        "mkdocs_hooks.py",
        ".pre-commit-config.yaml",
    ):
        (tmp_path / name).symlink_to(TOP / name)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith("installed"):
            (tmp_path / ".venv" / part.name).symlink_to(part)
    for extra in ("", "[test]"):
        (tmp_path / ".venv" / f"installed{extra}").touch()
    return tmp_path


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store("moto", tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.mark.parametrize("document", SESSIONS)
def test_the_commands_of_a_document_run_and_print_what_it_shows(
    document: str,
    checkout: Path,
    request: pytest.FixtureRequest,
    terminal: TerminalServer,
) -> None:
    # The README begins with nothing; the pages follow its download.
    if document != "README.md":
        request.getfixturevalue("folder")
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    if document == "docs/object-stores.md":
        environment |= request.getfixturevalue("store").environment
    session = "".join(block.text for block in blocks() if block.document == document)
    for block in blocks():
        if block.document != document or block.reason is not None:
            continue
        if block.title is not None:
            (checkout / block.title).write_text(block.text)
        if block.language != "console":
            continue
        assert block.commands, f"{block} has no command"
        for command, shown in block.commands:
            if command.startswith("export "):
                continue  # the variables of a store are those of the test's own
            printed = run(command, checkout, environment, terminal.url)
            assert not missing(shown, printed), (
                f"{block}: {command}\nis shown to print\n{missing(shown, printed)}\n"
                f"and printed\n{printed}"
            )
    if document == "docs/quality.md":
        (shown_json,) = (block.text for block in blocks("json") if block.document == document)
        printed = (checkout / "check.json").read_text()
        keys = set(re.findall(r'"(\w+)":', shown_json)) - {"quality"}
        assert not [key for key in keys if f'"{key}":' not in printed]
    assert SECRET not in session
    assert KEY not in session
    for block in blocks("text"):
        if block.document == document and block.text.startswith("data/"):
            assert not [path for path in tree(block.text) if not [*checkout.glob(path)]]


def tree(text: str) -> list[str]:
    """Returns the paths of a drawn tree of files, as patterns: whatever the run's id is."""
    paths: list[str] = []
    folders: list[str] = []
    for line in text.splitlines():
        lead, _, rest = line.rpartition("── ")
        depth = (len(lead) + 3) // 4
        names = [name for name in re.split(r"  +", rest)[0].split(", ") if name != "…"]
        folders[depth:] = names[:1]
        paths += ["".join([*folders[:depth], name]) for name in names]
    return [re.sub(r"\d{8}T\d{6}\.\d{6}Z", "*", path.rstrip("/")) for path in paths]


def run(command: str, folder: Path, environment: dict[str, str], terminal: str) -> str:
    """Runs a command of a document and returns what it prints; one that serves is ended."""
    if command.startswith("greeks terminal"):
        return serve(re.sub(r" --port \d+", "", command) + " --port 0", folder, environment)
    if ASKING.search(command) and "--terminal" not in command and "--config" not in command:
        command += f" --terminal {terminal}"
    command = command.replace("http://127.0.0.1:25503", terminal)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    # What is shown to fail is shown to print why; that a command should succeed can't be seen.
    assert done.returncode in (0, 1, 2), f"{command}: {done.returncode}\n{done.stdout}"
    assert "Traceback" not in done.stdout, done.stdout
    if done.returncode == 2:
        assert "To keep both:" in done.stdout, f"{command}\n{done.stdout}"
    return done.stdout


def serve(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Starts a server, and returns its first line once it has said where it is."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert "Traceback" not in rest
    return first


@pytest.mark.parametrize("block", PYTHON)
def test_python_runs_and_prints_rows(
    block: Block, downloaded: Path, terminal: TerminalServer
) -> None:
    code = block.text.replace("http://127.0.0.1:25503", terminal.url)
    assert "print(" in code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", code],
        cwd=downloaded,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3
    assert re.search(r"\d", done.stdout)


@pytest.mark.parametrize("block", SQL)
@pytest.mark.parametrize("output", ["greeks", "spxw"])
def test_queries_run_on_the_catalog_and_give_rows(
    block: Block, output: str, downloaded: Path
) -> None:
    connection = duckdb.connect()
    catalog = downloaded / "data" / f"{output}.meta" / "catalog.sql"
    connection.execute(catalog.read_text("utf-8"))
    rows = connection.sql(block.text).fetchall()
    assert len(rows) >= 20
    assert all(None not in row for row in rows)


def calls_that_read_csv(text: str) -> Iterator[str]:
    """Yields the calls of a block of Python that read CSV."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("read_csv", "scan_csv")):
            yield ast.unparse(node)


def test_each_call_that_reads_csv_keeps_roots_that_look_like_truth_numbers_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = ["--start_date", "2024-03-14", "--max_dte", "5", "--interval", "1h"]
    monkeypatch.chdir(tmp_path)
    read = set()
    roots = ("INF", "NA", "NAN", "T", "TRUE")
    with TerminalServer(Market(symbols=roots)) as server:
        for root in roots:
            more = ["--output", f"data/{root}", "--terminal", server.url]
            greeks_here(tmp_path, "download", "--symbol", root, *flags, *more)
    for root in roots:
        output = ["--output", f"data/{root}"]
        for view in ("greeks", "files"):
            sql = f"SELECT DISTINCT symbol FROM {view}"
            assert greeks_here(tmp_path, "query", sql, "--csv", *output) == f"symbol\n{root}\n"
        (file,) = (tmp_path / "data" / root).rglob("*.csv")
        for block in blocks("python"):
            assert not re.search(r"(?i)from '.*csv|duckdb\.read_csv", block.text), block
            known = {"pl": polars, "pd": pandas, "path": str(file)}
            for line in re.findall(r"^(?:options|numbers|types) = .*$", block.text, re.MULTILINE):
                exec(line, known)  # noqa: S102 -- a line of our documentation
            for call in calls_that_read_csv(block.text):
                here = re.sub(r"data/greeks/[\w/-]+\.csv", str(file), call)
                here = here.replace("data/greeks", f"data/{root}")
                rows = eval(here, known)  # noqa: S307 -- likewise
                rows = rows.collect() if call.startswith("pl.") else rows
                assert set(rows["symbol"]) == {root}, call
                assert set(rows["right"]) == {"C", "P"}, call
                read.add(call)
    kinds = sorted(call.partition("(")[0] for call in read)
    assert kinds == ["pd.read_csv"] * 2 + ["pl.scan_csv"] * 2


def test_the_fields_of_the_run_summary_are_those_that_its_page_shows(downloaded: Path) -> None:
    (shown,) = (block for block in blocks("json") if block.document == "docs/run-summary.md")
    top = re.compile(r'^  "(\w+)":', re.MULTILINE)
    # The download itself; what tests have run there since may have skipped its files.
    summary, *_ = summaries(downloaded)
    assert sorted(top.findall(shown.text)) == sorted(summary)
    (entry,) = re.findall(r'^    (\{"symbol": .*)$', shown.text, re.MULTILINE)
    fields = re.findall(r'"(\w+)":', entry.partition('"quality"')[0])
    assert {*fields, "quality"} == set(summary["expirations"][0])


@pytest.mark.parametrize("title", ["With a real Theta Terminal", "Limits"])
def test_the_readme_has_200_lines_at_most(title: str) -> None:
    readme = DOCUMENTS[0].read_text("utf-8")
    assert len(readme.splitlines()) <= 200
    assert f"## {title}\n" in readme


def test_few_blocks_are_not_run_and_each_gives_its_reason() -> None:
    assert {block.language for block in blocks()} <= LANGUAGES
    left = [block for block in blocks() if block.reason is not None]
    assert [block.document for block in left] == [
        *["README.md"] * 2,
        *["docs/clusters.md"] * 5,
        "docs/contributing.md",
    ]
    assert all(len(block.reason or "") > 20 for block in left)
    # Nothing that could be run stands in a block of another kind.
    for block in blocks("text"):
        assert "$ " not in block.text or block.title == "crontab", block


def test_every_command_is_in_the_readme() -> None:
    readme = DOCUMENTS[0].read_text("utf-8")
    listed = re.findall(r"^\| `greeks (\w+)` \|", readme, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_the_packages_of_the_architecture_are_those_that_import_linter_orders() -> None:
    text = (TOP / "docs" / "architecture.md").read_text("utf-8")
    library, application = text.split("## The graph")[0].split("The application, ")
    linter = tomli.loads((TOP / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = {contract["id"]: contract["layers"] for contract in linter["contracts"][1:3]}
    for floor, part in [("transforms", library), ("pipeline", application)]:
        packages = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
        assert sorted(packages) == sorted(
            path.parent.name for path in (TOP / floor).glob("*/__init__.py")
        )
        heights = [
            next(
                -place for place, layer in enumerate(layers[floor]) if package in layer.split(" | ")
            )
            for package in packages
        ]
        assert heights == sorted(heights), f"{floor}: {packages}"


def test_the_readme_lists_every_package() -> None:
    (listing,) = (block.text for block in blocks("text") if block.text.startswith("pipeline/"))
    names = re.findall(r"[├└]── ([\w.]+(?:, [\w.]+)*)", listing)
    listed = {name for line in names for name in line.split(", ") if "." not in name}
    assert listed == {
        path.parent.name
        for floor in ("pipeline", "transforms")
        for path in (TOP / floor).glob("*/__init__.py")
    }


def test_every_test_that_a_document_names_exists() -> None:
    for document in [*DOCUMENTS, TOP / "bench" / "README.md"]:
        for path, name in re.findall(r"`([\w/.]+\.py)(?:::(\w+))?`", document.read_text("utf-8")):
            found = [TOP / path, TOP / "tests" / path, TOP / "tests" / "integration" / path]
            there = [each for each in found if each.is_file()]
            assert there, f"{document.name} names {path}, which is not there"
            assert not name or f"def {name}(" in there[0].read_text("utf-8"), (
                f"{document.name} names {name}, which is not in {path}"
            )


def test_every_promise_names_a_test() -> None:
    text = (TOP / "docs" / "guarantees.md").read_text("utf-8")
    for promise in text.split("\n## ")[1:]:
        assert "::test_" in promise, promise.splitlines()[0]


def test_the_site_is_built_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>",
            page.read_text("utf-8"),
        )
        assert not [tag for tag in loaded if 'rel="canonical"' not in tag], page


def test_links_of_the_readme_lead_somewhere() -> None:
    readme = DOCUMENTS[0].read_text("utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]+)(?:#([\w-]+))?\)", readme):
        text = (TOP / target).read_text("utf-8")
        headings = [
            re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE)
        ]
        assert not anchor or anchor in headings, f"{target}#{anchor}"


def test_the_crontab_finds_the_program_without_a_path_of_the_users(tmp_path: Path) -> None:
    (lines,) = (each.text for each in blocks("text") if each.title == "crontab")
    command = lines.splitlines()[-1].split(maxsplit=5)[5]
    program = tmp_path / "greeks" / ".venv" / "bin" / "greeks"
    program.parent.mkdir(parents=True)
    program.symlink_to(Path(sys.executable).with_name("greeks"))
    # A port on which nothing listens: what is shown is that the program runs.
    command = command.replace(" >>", " --terminal http://127.0.0.1:9 >>")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, check=False)
    log = (tmp_path / "greeks" / "download.log").read_text()
    assert done.returncode == 3, log
    assert "no Theta Terminal answers at http://127.0.0.1:9" in log

#!/usr/bin/env bash
# One command on a fresh machine. Without an argument: a download from a simulated market.
#   ./run_local.sh               install into .venv, then download one trade date of SPXW
#   ./run_local.sh test          install, then run the fast tests: each promise once, in minutes
#   ./run_local.sh test --all    all tests: those marked slow too, and by themselves those marked alone
#                                (more words go to pytest: test -k name, test --all tests/integration)
#   ./run_local.sh develop       install what development needs, and the hooks that git runs before
#                                each commit (.pre-commit-config.yaml)
#   ./run_local.sh bench         install this project and its peers, then measure them: bench --help
#   ./run_local.sh flink         install, fetch Beam's Flink job server by Maven if it is not there
#                                yet (or take --flink_job_server_jar), then the same download on an
#                                embedded Flink (more words go to `greeks download`);
#                                FLINK_VERSION=2.2 chooses another Flink than 1.19
#   ./run_local.sh COMMAND …     install, then `greeks COMMAND …`, such as: download --help
# Needs Python 3.10 or later (PYTHON=python3.12 chooses one) and a package index; with a C compiler
# (on Debian: apt-get install gcc python3-dev) downloads are up to twice as fast.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

die() {
  printf 'run_local.sh: %s\n' "$1" >&2
  exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "no $python here: install Python 3.10 or later, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  die "$("$python" --version) is too old: Python 3.10 or later is needed; PYTHON=… chooses another"

# install EXTRA: once for each state of setup.py and of the compiled code.
install() {
  local stamp=.venv/installed$1
  [ "$stamp" -nt setup.py ] && [ "$stamp" -nt transforms/native/_text.c ] && return
  [ -x .venv/bin/python ] || "$python" -m venv .venv ||
    die "no virtual environment could be made (on Debian: apt-get install python3-venv)"
  echo "installing into .venv; this takes a minute, once" >&2
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".$1"
  # Where the environment forbids Python to write bytecode, every start would compile all of it.
  .venv/bin/python -m compileall -q pipeline transforms
  touch "$stamp"
}

# install_peers: likewise, into an environment of their own.
install_peers() {
  local stamp=.venv-bench/installed
  [ "$stamp" -nt bench/requirements.txt ] && return
  [ -x .venv-bench/bin/python ] || "$python" -m venv .venv-bench
  echo "installing the peers into .venv-bench; this takes some minutes, once" >&2
  .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
  touch "$stamp"
}

# job_server: prints the path of Beam's Flink job server. Maven fetches the one of Beam's own version,
# once; where it can't, it puts one together from Beam's Flink runner (.ci/flink/job-server.xml).
job_server() {
  local beam name folder jar work
  beam=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("apache-beam"))')
  name=beam-runners-flink-$flink-job-server
  folder=$HOME/.apache_beam/cache/jars
  # Beam's own version first.
  for jar in "$folder/$name-$beam.jar" "$folder/$name"-*.jar; do
    [ ! -f "$jar" ] || { echo "$jar"; return; }
  done
  command -v mvn >/dev/null ||
    die "no Maven here to fetch $name:$beam: install it (on Debian: apt-get install maven), or give --flink_job_server_jar"
  echo "fetching Beam's job server for Flink $flink into $folder; some 200 MB, once" >&2
  work=$(mktemp -d)
  if mvn --batch-mode --quiet dependency:copy -Dartifact="org.apache.beam:$name:$beam" \
      -DoutputDirectory="$work" >"$work/log" 2>&1; then
    :
  elif [ "$flink" = 1.19 ]; then
    echo "Maven does not give $name:$beam; building one of an older runner of Beam" >&2
    mvn --batch-mode --quiet -f .ci/flink/job-server.xml package -Dfolder="$work" >"$work/log" 2>&1 ||
      { grep -m 3 ERROR "$work/log" >&2 || true; die "Maven gives no runner of Beam for Flink $flink: give a jar with --flink_job_server_jar, or the --job_endpoint of a job server that runs"; }
  else
    grep -m 3 ERROR "$work/log" >&2 || true
    die "Maven did not give org.apache.beam:$name:$beam: try FLINK_VERSION=1.19, give the jar with --flink_job_server_jar, or the --job_endpoint of a job server that runs"
  fi
  mkdir -p "$folder"
  rm -f "$work"/original-*.jar
  jar=$(basename "$work"/beam-runners-flink-*.jar)
  # In one step: another run may look.
  mv "$work/$jar" "$folder/.$jar.$$"
  mv "$folder/.$jar.$$" "$folder/$jar"
  rm -r "$work"
  echo "$folder/$jar"
}

# tests MARKS PYTEST_WORDS…: runs the tests with these marks, one at a time for each core and one more,
# for a fifth of the time they wait for processes and servers; but four at the most.
tests() {
  local many
  many=$(.venv/bin/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
  .venv/bin/python -m pytest --numprocesses "$many" --dist worksteal -m "$@"
}

# all_tests PYTEST_WORDS…: fails where one of its halves does, or where neither selects a test.
all_tests() {
  local many=0 alone=0
  tests "not alone and not nightly" --hypothesis-profile thorough "$@" || many=$?
  tests "alone and not nightly" "$@" --numprocesses 0 || alone=$?
  # pytest ends with 5 where no test was selected.
  if [ "$many" = 5 ]; then return "$alone"; fi
  if [ "$many" = 0 ] && [ "$alone" != 5 ]; then return "$alone"; fi
  return "$many"
}

case "${1-}" in
  "")
    install ""
    exec .venv/bin/greeks download --symbol SPXW --start_date 2024-03-14 --terminal embedded
    ;;
  test)
    shift
    install "[test]"
    if [ "${1-}" = --all ]; then
      all_tests "${@:2}"
    else
      tests "not slow and not alone and not nightly" "$@"
    fi
    ;;
  develop)
    install "[test]"
    exec .venv/bin/pre-commit install
    ;;
  bench)
    shift
    install ""
    install_peers
    .venv/bin/python -m compileall -q pipeline transforms
    exec .venv-bench/bin/python -m bench.peers "$@"
    ;;
  flink)
    shift
    install ""
    command -v java >/dev/null || die "no Java here: Flink needs 11 or later (on Debian: apt-get install default-jre)"
    if [[ " $* " != *" --flink_job_server_jar"* && " $* " != *" --job_endpoint"* ]]; then
      flink=${FLINK_VERSION:-1.19}
      jar=$(job_server)
      set -- "$@" --flink_version "$flink" --flink_job_server_jar "$jar"
    fi
    [[ " $* " == *" --symbol"* ]] || set -- --symbol SPXW --start_date 2024-03-14 --terminal embedded "$@"
    exec .venv/bin/greeks download --runner FlinkRunner "$@"
    ;;
  *)
    install ""
    exec .venv/bin/greeks "$@"
    ;;
esac

#!/usr/bin/env bash
# One command on a fresh machine. Without an argument: a download from a simulated market.
#   ./run_local.sh               install into .venv, then download one trade date of SPXW
#   ./run_local.sh test          install, then run the whole test suite (more words go to pytest)
#   ./run_local.sh bench         install this project and its peers, then measure them: bench --help
#   ./run_local.sh COMMAND …     install, then `greeks COMMAND …`, such as: download --help
# Needs Python 3.10 or later (PYTHON=python3.12 chooses one) and a package index.
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

# install EXTRA: once for each state of setup.py.
install() {
  local stamp=.venv/installed$1
  [ "$stamp" -nt setup.py ] && return
  [ -x .venv/bin/python ] || "$python" -m venv .venv ||
    die "no virtual environment could be made (on Debian: apt-get install python3-venv)"
  echo "installing into .venv; this takes a minute, once" >&2
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".$1"
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

case "${1-}" in
  "")
    install ""
    exec .venv/bin/greeks download --symbol SPXW --start_date 2024-03-14 --terminal embedded
    ;;
  test)
    shift
    install "[test]"
    exec .venv/bin/python -m pytest "$@"
    ;;
  bench)
    shift
    install ""
    install_peers
    exec .venv-bench/bin/python -m bench.peers "$@"
    ;;
  *)
    install ""
    exec .venv/bin/greeks "$@"
    ;;
esac

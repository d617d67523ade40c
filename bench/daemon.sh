# shellcheck shell=bash
# Starts and stops long-lived processes. A pid file holds "PID START-TIME": a process whose start time differs is
# somebody else's, whatever its number, and is never signalled.

pid_file() { printf '%s/pid/%s' "$BENCH_RUN" "$1"; }
log_file() { printf '%s/%s.log' "$BENCH_LOGS" "$1"; }

# start_time PID: field 22 of /proc/PID/stat, counted after the command's closing bracket, which may itself hold spaces.
start_time() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  stat=${stat##*) }
  # A zombie has ended, though its number is still taken.
  [ "${stat%% *}" != Z ] || return 1
  # shellcheck disable=SC2086
  set -- $stat
  printf '%s' "${20}"
}

daemon_pid() {
  local pid began
  read -r pid began 2>/dev/null <"$(pid_file "$1")" || return 1
  [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ] || return 1
  printf '%s' "$pid"
}

daemon_alive() { daemon_pid "$1" >/dev/null; }

# daemon_start NAME COMMAND…: survives the caller's shell and holds none of its descriptors.
daemon_start() {
  local name=$1 pid
  shift
  daemon_alive "$name" && return
  mkdir -p "$BENCH_RUN/pid" "$BENCH_LOGS"
  (
    exec 3>&- 9>&- </dev/null >>"$(log_file "$name")" 2>&1
    cd "$BENCH_STATE" || exit
    exec setsid "$@"
  ) &
  pid=$!
  printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$(pid_file "$name")"
}

# daemon_stop NAME [SIGNAL]: ends when the process has ended; KILL after 10 s.
daemon_stop() {
  local pid i
  if pid=$(daemon_pid "$1"); then
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 200; i++)); do
      daemon_alive "$1" || break
      [ "$i" != 100 ] || kill -s KILL "$pid" 2>/dev/null || true
      sleep 0.05
    done
  fi
  rm -f "$(pid_file "$1")"
}

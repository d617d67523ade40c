import type { V1EnvVar } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';

/**
 * What the Job's container runs first: it writes the scripts to a directory of its own and runs one of them. Nobody can change a pod's command, so it holds the
 * scripts themselves: a ConfigMap could be changed, and whoever took its name could prevent the Job. /etc/passwd comes from an annotation, which
 * others can change, so it is compared.
 * Decision: docs/decisions/0002-upgrade-job.md
 */
const bootstrap = `set -eu
directory=$(mktemp -d /tmp/upgrade-scripts.XXXXXX)
script=$1
while (($# > 1)); do
  printf '%s' "$2" >"$directory/$1"
  shift 2
done
if ! printf '%s  /etc/passwd\\n' "$PASSWD_SUM" | sha256sum --check --strict --quiet; then
  message="/etc/passwd is not what the action wrote: somebody changed the annotations of this pod"
  echo "REFUSED: $message"
  printf '{"schema":1,"command":"%s","outcome":"refused","state":"unexamined","step":"Compare /etc/passwd","message":"%s"}' "$1" "$message" >"\${RESULT_FILE:-/dev/termination-log}"
  exit 11
fi
exec bash "$directory/$script" "$1"`;

/**
 * The command that runs a script with the others beside it. Kubernetes replaces `$(NAME)` in it only where the container has a variable of that name, and `$$`: a
 * unit test holds that the scripts have neither. Linux takes 128 KiB for each of them. The container ends with code 11 (refused, nothing was
 * changed) and a result where /etc/passwd is not what `bootstrapVariables` tells.
 * @param script the file that is run, one of `scripts`
 * @param command what the script is told to do
 * @param scripts text by file name
 */
export function bootstrapCommand(script: string, command: string, scripts: Readonly<Record<string, string>>): string[] {
  const { [script]: text = '', ...others } = scripts;
  return ['bash', '-c', bootstrap, 'bash', script, text, ...Object.entries(others).flat(), command];
}

/**
 * What `bootstrapCommand` compares with, as variables of the container.
 * @param passwd what /etc/passwd is to hold
 */
export function bootstrapVariables(passwd: string): V1EnvVar[] {
  return [{ name: 'PASSWD_SUM', value: sha256(passwd) }];
}

/** The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

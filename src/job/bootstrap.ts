import { sha256 } from '../common/sha256.ts';

/** Where the ConfigMap with the scripts is mounted. */
export const scriptDirectory = '/upgrade';

/**
 * What the Job's container runs before any script. The scripts come from a ConfigMap and /etc/passwd from an annotation, and who may write
 * those in the namespace must not decide what runs on the volume. A pod's command and environment nobody can change: they hold the sums.
 * The scripts are copied first, since the kubelet replaces the files of a ConfigMap that somebody makes again.
 */
const bootstrap = `set -eu
refuse() {
  echo "REFUSED: $1"
  printf '{"schema":1,"command":"%s","outcome":"refused","state":"unexamined","step":"Compare the scripts","message":"%s"}' "$2" "$1" >"\${RESULT_FILE:-/dev/termination-log}"
  exit 11
}
directory=$(mktemp -d /tmp/upgrade-scripts.XXXXXX)
printf '%s\\n' "$SCRIPT_SUMS" >"$directory/sums"
while read -r sum name; do
  cp -- "$SCRIPTS/$name" "$directory/$name" || refuse "$name is missing in the ConfigMap of the scripts: somebody changed it" "$1"
done <"$directory/sums"
(cd "$directory" && sha256sum --check --strict --quiet sums) || refuse "the ConfigMap of the scripts does not hold what the action wrote: somebody changed it" "$1"
printf '%s  /etc/passwd\\n' "$PASSWD_SUM" | sha256sum --check --strict --quiet || refuse "/etc/passwd is not what the action wrote: somebody changed the annotations of this pod" "$1"
exec bash "$directory/$SCRIPT" "$@"`;

/**
 * The command that runs a script of the ConfigMap, after the scripts and /etc/passwd were compared. It ends with code 11 (refused, nothing
 * was changed) and a result where they differ.
 * @param command what the script is told to do
 */
export function bootstrapCommand(command: string): string[] {
  return ['bash', '-c', bootstrap, 'bash', command];
}

/**
 * What `bootstrapCommand` compares with, as variables of the container.
 * @param script the file that it runs
 * @param scripts the ConfigMap's files by name
 * @param passwd what /etc/passwd is to hold
 */
export function bootstrapVariables(
  script: string,
  scripts: Readonly<Record<string, string>>,
  passwd: string,
): Record<string, string> {
  const sums = Object.entries(scripts).map(([name, text]) => `${sha256(text)}  ${name}`);
  return { SCRIPT: script, SCRIPTS: scriptDirectory, SCRIPT_SUMS: sums.join('\n'), PASSWD_SUM: sha256(passwd) };
}

import type { Database } from './database.ts';
import { ClusterError } from '../common/errors.ts';
import type { Target } from '../target/target.ts';

/** What a file of the volume can do, as it was tried. */
export interface VolumeTrial {
  readonly clone: Outcome;
  readonly link: Outcome;
}

interface Outcome {
  readonly works: boolean;
  /** The reason that the command gave, where it does not. */
  readonly said: string;
}

/**
 * Tries a reflink and a hard link of a file of its own, in a hidden directory beside the data directory, and removes it all. The server's own pod does
 * it: no second container ever touches the volume of a running server. What a killed one left goes with the next.
 * Decision: docs/decisions/0006-transfer.md
 */
const script = `
set -u
parent=$(dirname "$1")
rm -rf "$parent"/.postgresql-upgrade-trial.*
directory=$(mktemp -d "$parent/.postgresql-upgrade-trial.XXXXXX") || exit 1
trap 'rm -rf "$directory"' EXIT
dd if=/dev/zero of="$directory/file" bs=8192 count=16 2>/dev/null || { echo "no file could be written in $parent" >&2; exit 1; }
if said=$(cp --reflink=always "$directory/file" "$directory/clone" 2>&1); then echo clone=yes; else echo "clone=no $said"; fi
if said=$(ln "$directory/file" "$directory/link" 2>&1); then echo link=yes; else echo "link=no $said"; fi
rm -rf "$directory"
[ ! -e "$directory" ] && echo removed=yes
`;

/** @throws ClusterError when it could not be tried, or its traces could not be removed */
export async function tryVolume(database: Database, target: Target): Promise<VolumeTrial> {
  const { stdout, stderr } = await database.command(['sh', '-c', script, 'sh', target.dataDirectory]);
  const lines = stdout.split('\n');
  const outcome = (name: string): Outcome | undefined => {
    const line = lines.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    return line === undefined
      ? undefined
      : {
          works: line === 'yes',
          said:
            line === 'yes'
              ? ''
              : line
                  .slice(line.lastIndexOf(': ') + 1)
                  .replace(/^no/, '')
                  .trim(),
        };
  };
  const [clone, link] = [outcome('clone'), outcome('link')];
  if (clone === undefined || link === undefined || !lines.includes('removed=yes'))
    throw new ClusterError(
      'volume-untried',
      `Reflinks and hard links could not be tried in pod ${target.podName}: ${stderr.trim() || 'no answer'}`,
      "Let the server's user create a directory beside the data directory. The upgrade Job has to do that too.",
    );
  return { clone, link };
}

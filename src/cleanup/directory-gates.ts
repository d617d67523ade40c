// The conditions that are about directories on the server's volume.
import { volumeSharers } from '../target/volume-users.ts';
import { shellRemedy, type Remedy } from '../text/remedy.ts';
import { shell } from '../text/shell.ts';
import { ifKnown, met, unmet, type Answer } from './answer.ts';
import type { CleanupFacts } from './facts.ts';

export function directoryUse({ files, settings, target }: CleanupFacts): Answer {
  return ifKnown(files, ({ directories }) =>
    ifKnown(settings, (names) => {
      const sharers = directories.length === 0 ? [] : volumeSharers(target);
      if (sharers.length > 0)
        return {
          status: 'unknown',
          said: `what container ${sharers.join(', ')} of pod ${target.podName} uses on the volume can't be seen`,
          remedy: {
            text: `Run again while the pod has no other container with the volume. Or remove the directories by hand: ${directories.map(({ path }) => path).join(', ')}.`,
          },
        };
      const changed = directories.filter(({ obstacle }) => obstacle?.is === 'changed');
      const used = [...directories.filter(({ obstacle }) => obstacle?.is === 'used'), ...changed];
      const said = [
        ...used.map(({ path, obstacle }) => `${path}: ${obstacle?.why ?? ''}`),
        ...names.map((name) => `the setting ${name} of the server names the old data directory`),
      ];
      if (said.length === 0) return met('nothing uses a directory that an upgrade left');
      // Without the old directory nothing shows whose they are.
      const spaces = directories.filter(({ kind, obstacle }) => kind === 'tablespace' && obstacle === undefined);
      const withThem =
        spaces.length === 0
          ? ''
          : ' Remove what PostgreSQL 12 has in tablespaces with it: no cleanup finds that afterwards.';
      const find = 'Find out what uses it. If it is not what the upgrade left, move it elsewhere. Then run again.';
      return unmet(
        said.join('; '),
        changed.length === 0
          ? find
          : shellRemedy(
              `${find} If somebody started PostgreSQL 12 on it, and nobody needs what that wrote, remove it yourself.${withThem}`,
              shell`kubectl -n ${target.namespace} exec ${target.podName} -c ${target.container.name} -- rm -rf ${[...changed, ...spaces].map(({ path }) => path)}`,
            ),
      );
    }),
  );
}

export function removable({ files, target }: CleanupFacts): Answer {
  return ifKnown(files, ({ directories }) => {
    const stuck = directories.filter(({ obstacle }) => obstacle?.is === 'stuck');
    if (stuck.length === 0) return met(`UID ${String(target.userId)} can remove each of them`);
    return unmet(
      stuck.map(({ path, obstacle }) => `${path}: ${obstacle?.why ?? ''}`).join('; '),
      ownerRemedy(
        target,
        stuck.map(({ path }) => path),
      ),
    );
  });
}

/**
 * The action never runs as root. A container of a person's own in the server's pod reaches the volume through the root directory of the server's process: no second pod mounts the
 * volume of a running server.
 */
function ownerRemedy(
  { namespace, podName, container, userId }: CleanupFacts['target'],
  paths: readonly string[],
): Remedy {
  const profile = JSON.stringify({ securityContext: { runAsUser: 0, runAsNonRoot: false } });
  const inside = paths.map((path) => `/proc/1/root${path}`);
  return shellRemedy(
    `Give them to the server's user. Only this needs root, and the namespace has to admit it. Without --target, no container reaches the volume. Then run again.`,
    shell`echo ${profile} >as-root.json`,
    shell`kubectl -n ${namespace} debug ${podName} -it --target ${container.name} --image ${container.image ?? ''} --profile general --custom as-root.json -- chown -R ${String(userId)} ${inside}`,
  );
}

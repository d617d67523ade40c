import { copyable, failed, judgeFact, passed, shell } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

export const layoutChecks: readonly Check[] = [
  {
    id: 'statefulset',
    title: 'StatefulSet and pod of PostgreSQL',
    expected: 'PostgreSQL is a StatefulSet with one running pod',
    subject: 'target',
    why: 'A replica would be left behind by the upgrade, and a server that does not run cannot be checked.',
    run({ target }) {
      const ready = target.pod?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
      if (target.replicas > 1)
        return failed(
          'Scale it to 1: standbys have to be built anew after the upgrade.',
          `StatefulSet ${target.name} has ${String(target.replicas)} replicas`,
        );
      if (target.replicas === 0 || !ready)
        return failed(
          `Start it first: ${copyable(shell`kubectl -n ${target.namespace} scale statefulset ${target.name} --replicas=1`)} (but not after a failed upgrade by another way: the image makes an empty cluster where the data directory was renamed; README, "After a failed try of another way").`,
          `StatefulSet ${target.name}: ${String(target.replicas)} replicas, pod ${target.podName} is ${target.pod === undefined ? 'absent' : 'not ready'}`,
        );
      return passed(
        `StatefulSet ${target.name}, pod ${target.podName} is ready, image ${target.container.image ?? '?'}`,
      );
    },
  },
  {
    id: 'layout-mount',
    title: 'Mount of the volume',
    expected: 'The volume is mounted so that the upgrade can work beside the data directory',
    subject: 'target',
    why: "The page expects the claim at /bitnami/postgresql and the data in …/data. Other places are followed; what can't work is a data directory that is itself a mount: hard links do not cross mounts.",
    run: ({ target, files }) =>
      judgeFact(files, (seen) => {
        const where = `claim ${target.volume.claimName} at ${target.volume.mountPath}, data directory ${target.dataDirectory}`;
        if (target.volume.subPath !== undefined) {
          return failed(
            'Mount the whole volume, without subPath: the upgrade Job mounts it at its root.',
            where,
            `mounted with subPath ${target.volume.subPath}`,
          );
        }
        if (!target.dataDirectory.startsWith(`${target.volume.mountPath}/`) || !seen.sameFilesystem) {
          return failed(
            'Mount the claim above the data directory (the chart mounts it at /bitnami/postgresql and the data is in /bitnami/postgresql/data).',
            where,
            'the data directory is a mount of its own, or not below the mount',
          );
        }
        return passed(where, `filesystem ${seen.filesystem}, ${mebibytes(seen.freeBytes)} MiB free`);
      }),
  },
  {
    id: 'layout-data-directory',
    title: 'Data directory of the server',
    expected: 'The server uses the data directory that the StatefulSet names',
    subject: 'target',
    why: "An upgrade of another directory than the server's would end with an old or an empty database.",
    run: ({ target, server, files }) =>
      judgeFact(server, (facts) =>
        judgeFact(files, (seen) =>
          facts.dataDirectory === target.dataDirectory &&
          seen.dataVersion === String(Math.floor(facts.versionNumber / 10000))
            ? passed(`data_directory is ${facts.dataDirectory}, its PG_VERSION ${seen.dataVersion}`)
            : failed(
                'Set PGDATA in the pod template to the directory that the server uses.',
                `data_directory of the server is ${facts.dataDirectory}, the StatefulSet says ${target.dataDirectory}`,
                `PG_VERSION there is ${seen.dataVersion}`,
              ),
        ),
      ),
  },
  {
    id: 'layout-wal',
    title: 'Location of the WAL',
    expected: 'The WAL is where the upgrade Job finds it',
    subject: 'target',
    why: 'pg_wal may be a link (initdb --waldir). The Job mounts the claim alone, at the same path, and refuses to begin where the link leads out of it. One that leads into the data directory breaks when the directory gets another name. 14 has its WAL in its own data directory.',
    says: 'could not open directory "pg_wal": No such file or directory',
    shows: 'check',
    run: ({ target, files }) =>
      judgeFact(files, ({ walLink }) => {
        if (walLink === undefined) return passed('pg_wal is a directory in the data directory');
        const evidence = `pg_wal leads to ${walLink === '' ? 'a place that is not there' : walLink}`;
        const isIn = (directory: string) => walLink.startsWith(`${directory}/`);
        return isIn(target.volume.mountPath) && !isIn(target.dataDirectory)
          ? passed(evidence, `the claim is mounted at ${target.volume.mountPath}`)
          : failed(
              `Stop PostgreSQL, copy what is there to a directory beside the data directory, and let pg_wal lead to that: below ${target.volume.mountPath}, and not in ${target.dataDirectory}.`,
              evidence,
            );
      }),
  },
  {
    id: 'layout-tablespaces',
    title: 'Locations of tablespaces',
    expected: 'Every tablespace is where the upgrade Job finds it',
    subject: 'target',
    why: 'The Job mounts the claim alone, at the same path, and refuses to begin where the location of a tablespace is not on it.',
    says: 'tablespace directory "..." does not exist',
    shows: 'check',
    run: ({ target, files }) =>
      judgeFact(files, ({ strayTablespaces }) =>
        strayTablespaces.length === 0
          ? passed(`no tablespace is outside of the claim, which is mounted at ${target.volume.mountPath}`)
          : failed(
              'Move everything in it to pg_default and drop it; the check "tablespaces" has the commands.',
              ...strayTablespaces.map(
                (place) =>
                  `a tablespace is at ${place}, not on the claim, which is mounted at ${target.volume.mountPath}`,
              ),
            ),
      ),
  },
  {
    id: 'layout-user',
    title: 'Owner of the data files',
    expected: 'All data belongs to the user that the upgrade Job runs as',
    subject: 'target',
    why: "The Job runs as the server's own user, without root and without changing owners. Linking files of another user is refused by the kernel.",
    run: ({ target, files }) =>
      judgeFact(files, (seen) => {
        const evidence = `the server runs as UID ${String(seen.userId)}, the data directory belongs to UID ${String(seen.dataOwner)} (mode ${seen.dataMode}), the pod template says UID ${String(target.userId)}`;
        if (seen.userId === 0) return failed('Run PostgreSQL as an ordinary user.', evidence);
        if (seen.userId !== target.userId || seen.dataOwner !== seen.userId)
          return failed('Set runAsUser of the container to the UID that owns the data directory.', evidence);
        if (seen.foreignFiles.length > 0)
          return failed(
            `Give them to UID ${String(seen.userId)} (chown), or remove them if PostgreSQL does not need them.`,
            evidence,
            ...seen.foreignFiles.map((f) => `not its own: ${f}`),
          );
        return passed(evidence);
      }),
  },
];

function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 1024 / 1024));
}

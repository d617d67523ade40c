import { copyable, failed, judgeFact, passed, shell, shellRemedy } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

export const layoutChecks: readonly Check[] = [
  {
    id: 'statefulset',
    title: 'StatefulSet and pod of PostgreSQL',
    expected: 'PostgreSQL is a StatefulSet with one running pod',
    subject: 'target',
    why: "The upgrade would leave a replica behind. The checks can't ask a server that does not run.",
    advice:
      'Scale the StatefulSet to 1 replica. Rebuild standbys after the upgrade. After a failed upgrade by another way, do not start PostgreSQL before you have read [after a failed try](recovery.md).',
    run({ target }) {
      const ready = target.pod?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
      if (target.replicas > 1)
        return failed(
          shellRemedy(
            'Scale the StatefulSet to 1 replica. Rebuild the standbys after the upgrade.',
            shell`kubectl -n ${target.namespace} scale statefulset ${target.name} --replicas=1`,
          ),
          `StatefulSet ${target.name} has ${String(target.replicas)} replicas`,
        );
      if (target.replicas === 0 || !ready)
        return failed(
          `Start PostgreSQL: ${copyable(shell`kubectl -n ${target.namespace} scale statefulset ${target.name} --replicas=1`)}. Do not start it after a failed upgrade by another way. Where the data directory was renamed, the image makes an empty cluster. docs/recovery.md says what to do then.`,
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
    expected: 'The volume is mounted as a whole, above the data directory',
    subject: 'target',
    why: "The vendor's upgrade page expects the PersistentVolumeClaim at /bitnami/postgresql, and the data in /bitnami/postgresql/data. The action also works with other paths. It can't work with a data directory that is a mount of its own: hard links do not cross mounts.",
    advice:
      'Mount the whole volume, without subPath, above the data directory. The chart mounts it at /bitnami/postgresql, with the data in /bitnami/postgresql/data.',
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
            'Mount the claim above the data directory. The chart mounts it at /bitnami/postgresql, with the data in /bitnami/postgresql/data.',
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
    why: "An upgrade of another directory than the server's would produce an old or an empty database.",
    advice: 'Set PGDATA in the pod template to the directory that the server uses.',
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
    why: 'pg_wal may be a link (initdb --waldir). The upgrade Job mounts the claim alone, at the same path. It refuses to begin where the link leads out of the claim. A link into the data directory breaks when the upgrade renames that directory. PostgreSQL 14 has its WAL in its own data directory.',
    advice:
      'Stop PostgreSQL. Copy the WAL files to a directory beside the data directory, on the same volume. Make pg_wal a link to that directory.',
    says: 'could not open directory "pg_wal": No such file or directory',
    shows: 'check',
    run: ({ target, files }) =>
      judgeFact(files, ({ walLink }) => {
        if (walLink === undefined) return passed('pg_wal is a directory in the data directory');
        const evidence = `pg_wal leads to ${walLink === '' ? 'a path that does not exist' : walLink}`;
        const isIn = (directory: string) => walLink.startsWith(`${directory}/`);
        return isIn(target.volume.mountPath) && !isIn(target.dataDirectory)
          ? passed(evidence, `the claim is mounted at ${target.volume.mountPath}`)
          : failed(
              `Stop PostgreSQL. Copy the WAL files to a directory beside the data directory. Then make pg_wal a link to that directory. It must be below ${target.volume.mountPath}, and outside ${target.dataDirectory}.`,
              evidence,
            );
      }),
  },
  {
    id: 'layout-tablespaces',
    title: 'Locations of tablespaces',
    expected: 'Every tablespace is where the upgrade Job finds it',
    subject: 'target',
    why: 'The upgrade Job mounts the claim alone, at the same path. It refuses to begin where a tablespace is not on the claim.',
    advice:
      'Move everything in the tablespace to pg_default, and drop the tablespace. The check [tablespaces](#tablespaces) has the commands.',
    says: 'tablespace directory "..." does not exist',
    shows: 'check',
    run: ({ target, files }) =>
      judgeFact(files, ({ strayTablespaces }) =>
        strayTablespaces.length === 0
          ? passed(`no tablespace is outside the claim, which is mounted at ${target.volume.mountPath}`)
          : failed(
              'Move everything in the tablespace to pg_default, and drop the tablespace. The check tablespaces has the commands.',
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
    why: "The upgrade Job runs as the server's own user, without root, and changes no owners. The kernel refuses to link files of another user.",
    advice:
      'Set runAsUser of the container to the UID that owns the data directory, which must not be root. Give files of other users to that UID (chown), or remove them if PostgreSQL does not need them.',
    run: ({ target, files }) =>
      judgeFact(files, (seen) => {
        const evidence = `the server runs as UID ${String(seen.userId)}; UID ${String(seen.dataOwner)} owns the data directory (mode ${seen.dataMode}); the pod template says UID ${String(target.userId)}`;
        if (seen.userId === 0)
          return failed('Run PostgreSQL as a user other than root: set runAsUser of its container.', evidence);
        if (seen.userId !== target.userId || seen.dataOwner !== seen.userId)
          return failed('Set runAsUser of the container to the UID that owns the data directory.', evidence);
        if (seen.foreignFiles.length > 0)
          return failed(
            `Give these files to UID ${String(seen.userId)} (chown), or remove them if PostgreSQL does not need them.`,
            evidence,
            ...seen.foreignFiles.map((f) => `not owned by the server: ${f}`),
          );
        return passed(evidence);
      }),
  },
];

function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 1024 / 1024));
}

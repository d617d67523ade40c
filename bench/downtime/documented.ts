// The vendor's page, step by step, as commands. No sleeps: where the page waits, kubectl waits.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../test/cluster/bench.ts';
import type { Commands } from './commands.ts';
import type { Ended } from './measure.ts';
import type { Phases } from './phases.ts';

const upgradeImage = 'cciserver.azurecr.io/server-postgres-upgrade:12-14';
const serverTag = '14.22.4094-4922444';
const claim = 'data-postgresql-0';
const job = 'postgres-upgrade-12-to-14';

/** Upgrades the server of a namespace. The prerequisites of the page are read before the downtime begins. */
export async function upgradeAsDocumented(namespace: string, phases: Phases, commands: Commands): Promise<Ended> {
  const k = (...args: string[]) => commands.kubectl('-n', namespace, ...args);
  const [encoding = '', collate = '', ctype = ''] = (
    await psql(k, "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname='template1'")
  ).split('|');
  const workloads = (await k('get', 'deployments,statefulsets', '-l', 'layer=application', '-o', 'name')).split('\n');

  await phases.measure('applications down', async () => {
    // The page's command names Deployments; its script also wants the layer's StatefulSets stopped.
    await k('scale', 'deployment,statefulset', '-l', 'layer=application', '--replicas=0');
    await k('wait', '--for=delete', 'pod', '-l', 'layer=application', '--timeout=5m');
  });
  await phases.measure('PostgreSQL down, volume detached', async () => {
    await k('scale', 'statefulset', 'postgresql', '--replicas=0');
    await k('wait', '--for=delete', 'pod/postgresql-0', '--timeout=5m');
    await detached(k, commands);
  });
  await phases.measure('snapshot', async () => {
    await commands.apply(snapshot(namespace));
    await k('wait', '--for=jsonpath={.status.readyToUse}=true', 'volumesnapshot/before-upgrade', '--timeout=30m');
  });
  await phases.measure('Job', async () => {
    await commands.apply(upgradeJob(namespace, { encoding, collate, ctype }));
    await k('wait', '--for=condition=Complete', `job/${job}`, '--timeout=30m');
  });
  // helm sets the replicas of the whole release again: the applications come back beside PostgreSQL, before there are statistics.
  await phases.measure('helm upgrade: PostgreSQL 14 and the applications up', async () => {
    const chart = path.join(root, 'bench/chart');
    const tag = `postgresql.image.tag=${serverTag}`;
    await commands.helm('upgrade', 'circleci-server', chart, '-n', namespace, '--reuse-values', '--set', tag);
    for (const name of ['statefulset/postgresql', ...workloads]) await k('rollout', 'status', name, '--timeout=10m');
  });
  await phases.measure('vacuumdb --analyze-in-stages, beside the applications', async () => {
    const script = 'PGPASSWORD="$POSTGRES_PASSWORD" exec vacuumdb -U postgres --all --analyze-in-stages';
    await k('exec', 'postgresql-0', '--', 'sh', '-c', script);
  });
  // The page now scales every Deployment to 1. That would take replicas away which helm has brought back, so it is left out.
  return { analyzed: Date.now() };
}

type Kubectl = (...args: string[]) => Promise<string>;

async function psql(k: Kubectl, sql: string): Promise<string> {
  const script = 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -U postgres -tAc "$1"';
  return await k('exec', 'postgresql-0', '--', 'sh', '-c', script, 'sh', sql);
}

async function detached(k: Kubectl, commands: Commands): Promise<void> {
  const volume = await k('get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}');
  const filter = `{range .items[?(@.spec.source.persistentVolumeName=="${volume}")]}{.metadata.name}{end}`;
  const attachment = await commands.kubectl('get', 'volumeattachment', '-o', `jsonpath=${filter}`);
  if (attachment !== '') await commands.kubectl('wait', '--for=delete', `volumeattachment/${attachment}`, '--timeout=2m');
}

function snapshot(namespace: string): object {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'before-upgrade', namespace },
    spec: { source: { persistentVolumeClaimName: claim } },
  };
}

function upgradeJob(namespace: string, locale: { encoding: string; collate: string; ctype: string }): object {
  const script = readFileSync(path.join(root, 'bench/downtime/documented-job.sh'), 'utf8');
  const env = { ENCODING: locale.encoding, COLLATE: locale.collate, CTYPE: locale.ctype };
  const password = {
    name: 'PGPASSWORD',
    valueFrom: { secretKeyRef: { name: 'postgresql', key: 'postgres-password' } },
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: job, namespace },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          securityContext: { runAsUser: 0, runAsGroup: 0, fsGroup: 0 },
          imagePullSecrets: [{ name: 'regcred' }],
          containers: [
            {
              name: 'pg-upgrade',
              image: upgradeImage,
              imagePullPolicy: 'IfNotPresent',
              env: [password, ...Object.entries(env).map(([name, value]) => ({ name, value }))],
              command: ['/bin/bash', '-c', script],
              volumeMounts: [{ name: 'postgres-data', mountPath: '/bitnami/postgresql' }],
            },
          ],
          volumes: [{ name: 'postgres-data', persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
}

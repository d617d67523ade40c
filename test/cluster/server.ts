// What the tests look at in a server's namespace.
import { kubectl, kubectlJson, psql } from './bench.ts';

interface Workload {
  readonly metadata: { readonly name: string; readonly managedFields?: readonly { readonly manager?: string }[] };
  readonly spec: {
    readonly replicas?: number;
    readonly suspend?: boolean;
    readonly template?: {
      readonly spec?: {
        readonly schedulingGates?: unknown;
        readonly containers: readonly { readonly image: string }[];
      };
    };
  };
  readonly status?: { readonly readyReplicas?: number };
}

/** By kind and name: the wanted count, and how many are ready. */
export function replicas(namespace: string): Record<string, string> {
  const counts: Record<string, string> = {};
  for (const kind of ['deployments', 'statefulsets', 'cronjobs']) {
    for (const { metadata, spec, status } of (kubectlJson('-n', namespace, 'get', kind) as { items: Workload[] })
      .items) {
      counts[`${kind}/${metadata.name}`] =
        kind === 'cronjobs'
          ? `suspend ${String(spec.suspend ?? false)}`
          : `${String(status?.readyReplicas ?? 0)}/${String(spec.replicas ?? 1)}`;
    }
  }
  return counts;
}

export function statefulSet(namespace: string): { image: string; gates: unknown; managers: string[] } {
  const { spec, metadata } = kubectlJson(
    '-n',
    namespace,
    'get',
    'statefulset',
    'postgresql',
    '--show-managed-fields',
  ) as Workload;
  return {
    image: spec.template?.spec?.containers[0]?.image ?? '',
    gates: spec.template?.spec?.schedulingGates,
    managers: (metadata.managedFields ?? []).map((entry) => entry.manager ?? ''),
  };
}

/** Rows of every ordinary table of every database, but those of the writer, as the server counts them. */
export function rowCounts(namespace: string): Record<string, string> {
  const databases = psql(namespace, 'postgres', 'SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1').split(
    '\n',
  );
  const sql = `SELECT string_agg(format('SELECT %L, count(*) FROM ONLY %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname), ' UNION ALL ' ORDER BY 1)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relpersistence <> 't'`;
  return Object.fromEntries(
    databases.map((database) => {
      const counting = psql(namespace, database, sql);
      return [database, counting === '' ? '' : psql(namespace, database, counting)];
    }),
  );
}

/** As if its time were over: sets back by hand what a dead run would have renewed, instead of waiting for a minute. */
export function expireLease(namespace: string, name?: string): void {
  setRenewTime(namespace, new Date(Date.now() - 600_000), name);
}

/** As its holder does. */
export function renewLease(namespace: string): void {
  setRenewTime(namespace, new Date());
}

function setRenewTime(namespace: string, time: Date, name = 'postgresql-upgrade-12-to-14'): void {
  const renewTime = time.toISOString().replace('Z', '000Z');
  const patch = JSON.stringify({ spec: { renewTime } });
  kubectl('-n', namespace, 'patch', 'lease', name, '--type', 'merge', '-p', patch);
}

/** The VolumeAttachments of a claim's volume: a volume that was detached meanwhile has another one. */
export function attachmentsOf(namespace: string, claim: string): { readonly uid: string; readonly node: string }[] {
  const volume = kubectl('-n', namespace, 'get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}');
  const { items } = kubectlJson('get', 'volumeattachments') as {
    items: { metadata: { uid: string }; spec: { nodeName: string; source: { persistentVolumeName?: string } } }[];
  };
  return items
    .filter(({ spec }) => spec.source.persistentVolumeName === volume)
    .map(({ metadata, spec }) => ({ uid: metadata.uid, node: spec.nodeName }));
}

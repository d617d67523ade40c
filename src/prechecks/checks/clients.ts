import type { Client } from '../../database/clients.ts';
import type { Neighbour } from '../../target/neighbours.ts';
import { sessionIn } from '../../target/session.ts';
import type { Target } from '../../target/target.ts';
import { copyable, failed, judgeFact, passed, shell, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const labelOrStop =
  "Give workloads that belong to the applications their label, so that the upgrade stops and restarts them. Then apply the role of the upgrade's account again, since it names workloads ([permissions](permissions.md)). Stop the others yourself, and start them again afterwards.";
const roleAgain =
  "Label the workloads that are CircleCI's, so that the upgrade stops and restarts them. Then apply the role of the upgrade's account again, since it names workloads (docs/permissions.md). Stop the others for the upgrade.";

/** Who is connected, or would be, when the applications have been stopped. */
export const clientsChecks: readonly Check[] = [
  {
    id: 'clients',
    title: 'Sessions of other clients',
    expected: 'Only workloads that the upgrade stops are connected',
    subject: 'cluster',
    why: 'The upgrade stops the application layer, and then waits until no session is left. A sidecar of the server, an exporter, a pooler or a tool may stay connected. Then the upgrade waits until `clients-timeout`, in the downtime. The check reads the sessions twice, before and after the other facts. A session that has ended by then (a probe, a scrape) does not count. The check finds the workload of a session by its address, among the pods of the namespace.',
    advice:
      'Before the upgrade, stop each workload that the finding names, or end its session; the check prints the commands. Remove a sidecar from the StatefulSet until the upgrade is done. For the chart\'s own exporter set the helm value "postgresql.metrics.enabled=false". A node or a proxy may hide the client. Then its user and application name tell whether it is one of the applications.',
    run: ({ clients, neighbours, target, inputs }) =>
      judgeFact(clients, (all) =>
        judgeFact(neighbours, (list) => {
          const found = all.map((client) => ({ client, origin: originOf(client, list, target) }));
          const staying = found.filter(({ origin }) => !origin.isStopped);
          const stopped = found.length - staying.length;
          const others = `${String(stopped)} sessions of workloads that the upgrade stops`;
          if (staying.length === 0) return passed(others);
          const remedies = [...new Set(staying.map(({ client, origin }) => origin.remedy(client)))];
          const evidence = staying.map(({ client, origin }) => `${origin.name}: ${describe(client)}`);
          const isSure = staying.some(({ origin }) => !origin.isUnsure);
          const remedy = `Before the upgrade, end these sessions. Otherwise they keep it waiting until "clients-timeout" (${String(inputs.clientsTimeout / 1000)} s).\n${remedies.join('\n')}`;
          return (isSure ? failed : warning)(remedy, ...evidence, others);
        }),
      ),
  },
  {
    id: 'foreign-workloads',
    title: 'Other workloads with access to PostgreSQL',
    expected: 'No other workload of the namespace needs PostgreSQL',
    subject: 'cluster',
    why: 'The upgrade does not stop a workload without the label of the application layer. Such a workload fails, or tries again, for as long as the upgrade takes. The check finds workloads that name the Secret or the Service of PostgreSQL. It looks at running pods, also of DaemonSets, and at CronJobs. A CronJob that starts in the downtime fails.',
    advice: labelOrStop,
    run: ({ neighbours, target, inputs }) =>
      judgeFact(neighbours, (list) => {
        const others = list.filter(({ isApplication, uses }) => !isApplication && uses.length > 0);
        if (others.length === 0)
          return passed(`none of ${String(list.length)} workloads but the application layer names PostgreSQL`);
        return warning(
          [
            roleAgain,
            ...others
              .slice(0, mostNamed)
              .map((one) => `${one.kind} ${one.name}: ${eitherWay(one, target, inputs.applicationSelector)}`),
            ...(others.length > mostNamed ? [`Do the same for the ${String(others.length - mostNamed)} others.`] : []),
          ].join('\n'),
          ...others.map(
            (one) =>
              `${one.kind} ${one.name} is not stopped by the upgrade and names PostgreSQL: ${one.uses.join(', ')}`,
          ),
        );
      }),
  },
];

interface Origin {
  readonly name: string;
  readonly isStopped: boolean;
  /** A Job ends by itself; a proxy or the address of a node hides the client. */
  readonly isUnsure: boolean;
  remedy(client: Client): string;
}

/** Containers that proxy all connections of their pod. */
const proxies = ['istio-proxy', 'linkerd-proxy'];

function originOf(client: Client, neighbours: readonly Neighbour[], target: Target): Origin {
  if (isLocal(client.address, target)) return ownPod(client, target);
  const there = neighbours.filter(({ addresses }) => addresses.includes(client.address));
  const application = there.find(({ isApplication }) => isApplication);
  const [first] = there;
  if (application === undefined && isNode(client.address, neighbours, target))
    return {
      name: `from ${client.address}, the address of a node; one of the applications may be behind it`,
      ...{ isStopped: false, isUnsure: true },
      remedy: ({ address }) =>
        `Find out by user and application name who connects from ${address}. Pods with "hostNetwork: true" do, and every pod where the network hides pods behind their node.`,
    };
  if (first === undefined)
    return {
      ...{ name: `from ${client.address}, no pod of namespace ${target.namespace}`, isStopped: false, isUnsure: false },
      remedy: ({ pid, address }) =>
        `Find the client at ${address} (${copyable(shell`kubectl get pods --all-namespaces -o wide | grep -F ${address}`)}) and stop it. To end its session: ${terminate(target, pid)}`,
    };
  const one = application ?? first;
  return {
    name: `${one.kind} ${one.name} (${client.address})`,
    isStopped: application !== undefined,
    isUnsure: one.kind === 'Job' || one.kind === 'CronJob',
    remedy: () => `Stop ${one.kind} ${one.name}: ${copyable(stop(one, target))}`,
  };
}

/** A session over the socket or the pod's own address: a sidecar, a `kubectl exec`, or every client behind a proxy. */
function ownPod(client: Client, target: Target): Origin {
  const containers = (target.pod?.spec?.containers ?? target.statefulSet.spec?.template.spec?.containers ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== target.container.name);
  const proxy = containers.find((name) => proxies.includes(name));
  const where = `in the server's own pod (${client.address}${containers.length === 0 ? '' : `, beside it: ${containers.join(', ')}`})`;
  if (proxy !== undefined && client.address !== 'local')
    return {
      ...{ name: `${where}, through ${proxy}, which hides the client`, isStopped: false, isUnsure: true },
      remedy: () => `Find out by user and application name whether the client is one of the applications.`,
    };
  return {
    ...{ name: where, isStopped: false, isUnsure: false },
    remedy: ({ pid }) =>
      containers.length === 0
        ? `Close the session in pod ${target.podName}: ${terminate(target, pid)}`
        : `Remove the sidecar (${containers.join(', ')}) from StatefulSet ${target.name} until the upgrade is done (the chart's own exporter: helm value "postgresql.metrics.enabled=false"). To end a session of "kubectl exec": ${terminate(target, pid)}`,
  };
}

function isNode(address: string, neighbours: readonly Neighbour[], { pod }: Target): boolean {
  return address === pod?.status?.hostIP || neighbours.some(({ nodes }) => nodes.includes(address));
}

function isLocal(address: string, { pod }: Target): boolean {
  const own = (pod?.status?.podIPs ?? []).map(({ ip }) => ip);
  return (
    address === 'local' ||
    address === '::1' ||
    address.startsWith('127.') ||
    [pod?.status?.podIP, ...own].includes(address)
  );
}

function describe({ application, user, database, state }: Client): string {
  return `${application || 'a client without a name'}, user ${user}, database ${database}, ${state || 'state unknown'}`;
}

function terminate(target: Target, pid: number): string {
  return `${copyable(`SELECT pg_terminate_backend(${String(pid)});`)} as the superuser (${copyable(sessionIn(target))})`;
}

/** The command that gives a workload the label of the application layer, where that is one. */
function labelled({ kind, name }: Neighbour, { namespace }: Target, selector: string): string | undefined {
  const isStoppable = ['Deployment', 'StatefulSet', 'CronJob'].includes(kind);
  return isStoppable && /^[^=!,()\s]+=[^=!,()\s]+$/.test(selector)
    ? shell`kubectl -n ${namespace} label ${kind.toLowerCase()} ${name} ${selector}`
    : undefined;
}

/** For so many workloads the commands are printed. */
const mostNamed = 10;

/** What to do with a workload if it is one of the applications, and if it is not. */
function eitherWay(one: Neighbour, target: Target, selector: string): string {
  const label = labelled(one, target, selector);
  const start = restart(one, target);
  const stopped = `${copyable(stop(one, target))}${start === undefined ? '' : ` for the upgrade, and ${start} afterwards`}`;
  return label === undefined ? `${stopped}.` : `is it CircleCI's? ${copyable(label)}. If not: ${stopped}.`;
}

/** What undoes `stop`; undefined where that does not undo. */
function restart({ kind, name, pods }: Neighbour, { namespace }: Target): string | undefined {
  switch (kind) {
    case 'CronJob':
      return `(unless it was suspended before) ${copyable(shell`kubectl -n ${namespace} patch cronjob ${name} -p '{"spec":{"suspend":false}}'`)}`;
    case 'DaemonSet':
      return copyable(
        shell`kubectl -n ${namespace} patch daemonset ${name} -p '{"spec":{"template":{"spec":{"nodeSelector":{"stopped-for-upgrade":null}}}}}'`,
      );
    case 'Job':
    case 'Pod':
      return undefined;
    default:
      return `back to its ${pods === 1 ? 'pod' : `${String(pods)} pods`} of now (${copyable(shell`kubectl -n ${namespace} scale ${kind.toLowerCase()} ${name} --replicas=${String(pods)}`)})`;
  }
}

function stop({ kind, name }: Pick<Neighbour, 'kind' | 'name'>, { namespace }: Target): string {
  switch (kind) {
    case 'CronJob':
      return shell`kubectl -n ${namespace} patch cronjob ${name} -p '{"spec":{"suspend":true}}'`;
    case 'DaemonSet':
      return shell`kubectl -n ${namespace} patch daemonset ${name} -p '{"spec":{"template":{"spec":{"nodeSelector":{"stopped-for-upgrade":"true"}}}}}'`;
    case 'Job':
      return shell`kubectl -n ${namespace} wait --for=condition=complete job/${name} --timeout=1h`;
    case 'Pod':
      return shell`kubectl -n ${namespace} delete pod ${name}`;
    default:
      return shell`kubectl -n ${namespace} scale ${kind.toLowerCase()} ${name} --replicas=0`;
  }
}

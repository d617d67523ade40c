// How often the cluster's parts look, by their own defaults. The bench makes all of that shorter, so that the tests are.
import { bench } from '../../test/cluster/bench.ts';

/** What each part starts with (`bench/components.sh`), and its value for the part's own default. */
const parts = [
  // They look again at what was not ready, or failed: each 5 s at the latest on the bench, each 5 min by themselves.
  {
    names: ['csi-provisioner', 'csi-attacher', 'csi-snapshotter', 'snapshot-controller'],
    variable: 'BENCH_SIDECAR_RETRY_MAX',
    value: '5m',
  },
  // It tells that a volume is not mounted any more, before which nobody detaches it: each 2 s on the bench, each 10 s by itself.
  { names: ['kubelet'], variable: 'BENCH_KUBELET_BY_DEFAULT', value: 'yes' },
];

/**
 * Has them wait as long as by their own defaults. Pods go on meanwhile.
 * @returns what makes them as they were
 */
export function componentsByDefault(): () => void {
  for (const { variable, value } of parts) process.env[variable] = value;
  restart();
  return () => {
    for (const { variable } of parts) Reflect.deleteProperty(process.env, variable);
    restart();
  };
}

function restart(): void {
  for (const name of parts.flatMap(({ names }) => names)) bench('component', 'restart', name);
}

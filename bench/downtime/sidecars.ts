// How soon the storage's sidecars look again at what was not ready, or failed. The bench has them look each 5 s at the latest; by themselves they take up to 5 min.
import { bench } from '../../test/cluster/bench.ts';

const sidecars = ['csi-provisioner', 'csi-attacher', 'csi-snapshotter', 'snapshot-controller'];
const variable = 'BENCH_SIDECAR_RETRY_MAX';

/**
 * Has them wait as long as by their own default.
 * @returns what makes them as they were
 */
export function sidecarsByDefault(): () => void {
  const restart = () => {
    for (const name of sidecars) bench('component', 'restart', name);
  };
  process.env[variable] = '5m';
  restart();
  return () => {
    Reflect.deleteProperty(process.env, variable);
    restart();
  };
}

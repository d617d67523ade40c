// What the cluster is like in which both ways are measured: the bench as it is, or with the times of a cloud.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environment } from '../../test/cluster/bench.ts';
import { Latency } from './latency.ts';

export interface Profile {
  /** Arguments of `bench/reset`. */
  readonly reset: readonly string[];
  /**
   * Makes the cluster so, once the server is there.
   * @param journal the handle of the volume of the writer's journal
   */
  begin(journal: string): Promise<Running>;
}

export interface Running {
  /** The path of the kubeconfig that both ways use. */
  readonly kubeconfig: string;
  end(): Promise<void>;
}

/** In seconds; of a cloud with network disks, some 40 ms away from the runner. */
const cloud = {
  latency: 0.04,
  attach: 15,
  detach: { from: 15, to: 60 },
  cut: 2,
  drain: 10,
  boot: 20,
  readinessDelay: 5,
  readinessPeriod: 10,
};

/** The bench as it is. */
export function benchProfile(): Profile {
  const running = { kubeconfig: environment['KUBECONFIG'] ?? '', end: () => Promise.resolve() };
  return { reset: [], begin: () => Promise.resolve(running) };
}

/**
 * @param scale of all times: 0.2 makes a run short
 * @param chance from 0 to 1: how long this round's volume takes to be detached
 */
export function cloudProfile(scale: number, chance: number): Profile {
  const whole = (time: number) => String(Math.max(1, Math.round(time * scale)));
  const detach = cloud.detach.from + chance * (cloud.detach.to - cloud.detach.from);
  const delays = {
    ControllerPublishVolume: cloud.attach * scale,
    ControllerUnpublishVolume: detach * scale,
    CreateSnapshot: cloud.cut * scale,
  };
  const values = {
    'applicationPace.drainSeconds': whole(cloud.drain),
    'applicationPace.bootSeconds': whole(cloud.boot),
    'postgresql.primary.readinessProbe.initialDelaySeconds': whole(cloud.readinessDelay),
    'postgresql.primary.readinessProbe.periodSeconds': whole(cloud.readinessPeriod),
  };
  return {
    reset: Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    async begin(journal) {
      // The journal only measures: no application of the layer has a volume, which would have to be detached before the application is back.
      for (const [method, delay] of Object.entries(delays))
        writeFileSync(faultFile(method), `delay=${delay.toFixed(3)}s\nexcept=${journal}\n`);
      const latency = await Latency.begin(cloud.latency * scale * 1000);
      return {
        kubeconfig: latency.kubeconfig,
        end: async () => {
          for (const method of Object.keys(delays)) rmSync(faultFile(method), { force: true });
          await latency.end();
        },
      };
    },
  };
}

function faultFile(method: string): string {
  return path.join(environment['BENCH_FAULTS'] ?? '', method);
}

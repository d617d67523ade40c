// One precheck, seen from outside.
import { readFileSync } from 'node:fs';
import { startAction } from '../../test/cluster/action.ts';
import { AuditLog } from '../../test/cluster/bench.ts';

export interface Measured {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** Programs started in the server's pod: each is a round trip to the API server, the kubelet and the container. */
  readonly commands: number;
  /** All other calls of the API server. */
  readonly calls: number;
  /** The most that the process had in memory, in bytes. */
  readonly memory: number;
  /** Bytes of the job summary. */
  readonly summary: number;
}

/** @throws Error when a check could not be told: a question that was not answered is no measure */
export async function measure(inputs: { namespace: string; probes: string }): Promise<Measured> {
  const audit = new AuditLog();
  const action = startAction({ ...inputs, mode: 'precheck' });
  let memory = 0;
  const watching = setInterval(() => {
    memory = Math.max(memory, peakMemory(action.process.pid) ?? 0);
  }, 20);
  try {
    const end = await action.end;
    if (end.outputs['unknown-checks'] !== '') throw new Error(end.log);
    // What is in no namespace may be of somebody else who is at the cluster just now.
    const events = audit.events().filter(({ objectRef }) => [inputs.namespace, undefined].includes(objectRef?.namespace));
    const commands = events.filter(({ objectRef }) => objectRef?.subresource === 'exec').length;
    const { seconds, summary } = end;
    return { seconds, commands, calls: events.length - commands, memory, summary: Buffer.byteLength(summary) };
  } finally {
    clearInterval(watching);
  }
}

/** VmHWM of /proc/PID/status; undefined once the process is gone. */
function peakMemory(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

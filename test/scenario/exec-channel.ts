// The server's side of a command in a pod: WebSocket, protocol v5.channel.k8s.io, one byte of channel before the data.
import type { WebSocket } from 'ws';

const [stdin, stdout, stderr, status] = [0, 1, 2, 3];

export interface Execution {
  readonly command: readonly string[];
  /** All that came on the standard input up to psql's \q; '' for a command without one. */
  readonly input: string;
}

export interface ExecutionEnd {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** What runs in the container; `broken` for a connection that ends without a status, `never` for a command that goes on. */
export type Program = (execution: Execution) => ProgramEnd | Promise<ProgramEnd>;

type ProgramEnd = ExecutionEnd | 'broken' | 'never';

/** Reads the input, runs the program, answers and closes. */
export function serveExecution(socket: WebSocket, query: URLSearchParams, program: Program): void {
  const command = query.getAll('command');
  if (query.get('stdin') !== 'true') {
    void answer(socket, program({ command, input: '' }));
    return;
  }
  let input = '';
  socket.on('message', (data: Buffer) => {
    if (data[0] !== stdin) return;
    input += data.subarray(1).toString('utf8');
    if (input.endsWith('\\q\n')) void answer(socket, program({ command, input }));
  });
}

async function answer(socket: WebSocket, ending: ReturnType<Program>): Promise<void> {
  const end = await ending;
  if (end === 'never') return;
  if (end === 'broken') {
    socket.terminate();
    return;
  }
  if (end.stdout !== undefined) send(socket, stdout, end.stdout);
  if (end.stderr !== undefined) send(socket, stderr, end.stderr);
  send(socket, status, JSON.stringify(endStatus(end.exitCode)));
  socket.close(1000);
}

function send(socket: WebSocket, channel: number | undefined, text: string): void {
  socket.send(Buffer.concat([Buffer.from([channel ?? 0]), Buffer.from(text)]));
}

function endStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${String(exitCode)}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

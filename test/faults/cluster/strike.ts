// Preloaded into the action's process: kills it (SIGKILL) right before one call that changes something is sent, or right after its answer has come.
// So a strike is at a call and not at a time. CALLS is the file that gets a line for each such call; STRIKE_GROUP the heading of the log under which the
// call is, "after HEADING" for what comes between that group and the next one, or empty for anything between groups; STRIKE_CALL how its name begins;
// STRIKE_WHEN before or after.
import { appendFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import type { Duplex } from 'node:stream';
import { nameOf } from './call.ts';

const { CALLS = '/dev/null', STRIKE_GROUP, STRIKE_CALL = '', STRIKE_WHEN } = process.env;

let group = '';
const write = process.stdout.write.bind(process.stdout) as (...args: unknown[]) => boolean;
process.stdout.write = (...args: unknown[]) => {
  for (const [, title] of String(args[0]).matchAll(/^::(?:group::(.*)|endgroup::)/gm))
    group = title ?? `after ${group}`;
  return write(...args);
};

function strike(when: string, heading: string, call: string): void {
  appendFileSync(CALLS, `${when} "${call}" under "${heading}"\n`);
  const isThere = STRIKE_GROUP === '' ? /^(?:after |$)/.test(heading) : heading === STRIKE_GROUP;
  if (when === STRIKE_WHEN && isThere && call.startsWith(STRIKE_CALL)) process.kill(process.pid, 'SIGKILL');
}

const request = https.request.bind(https) as (...args: unknown[]) => ClientRequest;

https.request = (...args: unknown[]) => {
  const call = nameOf(args);
  if (call === undefined) return request(...args);
  const heading = group;
  strike('before', heading, call);
  const sent = request(...args);
  // Before any listener of the action's, so that it has not seen the answer yet.
  sent.prependListener('response', (answer: IncomingMessage) => {
    if ((answer.statusCode ?? 0) < 300) strike('after', heading, call);
  });
  // A command in a pod has had its effect when its connection ends.
  sent.prependListener('upgrade', (_answer: IncomingMessage, socket: Duplex) => {
    socket.prependListener('close', () => {
      strike('after', heading, call);
    });
  });
  return sent;
};
syncBuiltinESMExports();

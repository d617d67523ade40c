import { format } from 'node:util';
import type { Log } from '../ports/runner.ts';
import { logWritten } from './runner.ts';

/**
 * Gives the log all that would be written past it: warnings of Node and what libraries print, and the error that ends the process.
 * The runner takes lines of stderr for commands too, and they may hold text of a server.
 */
export function captureProcessOutput(log: Log): void {
  for (const method of ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const) {
    console[method] = (...values: unknown[]) => {
      log.info(format(...values));
    };
  }
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    log.info(`${name}: ${message}`);
  });
  // Where nobody reads the log any more, a run that goes on would never end, and keep its Lease.
  process.stdout.on('error', () => process.exit(1));
  let isEnding = false;
  process.on('uncaughtException', (error) => {
    if (isEnding) process.exit(1);
    isEnding = true;
    log.info(error instanceof Error ? (error.stack ?? error.message) : String(error));
    void logWritten().then(() => process.exit(1));
  });
}

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
  process.on('uncaughtException', (error) => {
    log.info(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
    void logWritten().then(() => process.exit(1));
  });
}

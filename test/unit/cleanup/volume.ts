// A server's volume as an upgrade leaves it, in files on this machine.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** As `recordOf` of the unit tests has it. */
export const run = 'run-1@2026-01-02T03:04:05.000Z';

const mebibyte = Buffer.alloc(2 ** 20, 'x');

export interface OldVolume {
  readonly root: string;
  readonly data: string;
  readonly kept: string;
  endServer(): Promise<void>;
  [Symbol.dispose](): void;
}

/**
 * PostgreSQL 14 in `data`, and beside it what is left of PostgreSQL 12, whose table pg_upgrade has linked: 1 MiB of the table is in both, 1 MiB of the catalog is not.
 * @param by whose upgrade it was: the vendor's Job leaves no marker, and its own logs
 */
export function oldVolume(by: 'ours' | 'vendor' = 'ours'): OldVolume {
  const root = mkdtempSync(path.join(tmpdir(), 'old-volume-'));
  const [data, kept] = [path.join(root, 'data'), path.join(root, 'data-12.preupgrade')];
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  };
  write('data/PG_VERSION', '14\n');
  write('data/base/16384/20000', mebibyte);
  write('data/global/pg_control', 'of PostgreSQL 14');
  mkdirSync(path.join(data, 'pg_tblspc'));
  write('data-12.preupgrade/PG_VERSION', '12\n');
  write('data-12.preupgrade/base/16384/1259', mebibyte);
  write('data-12.preupgrade/global/pg_control.old', 'of PostgreSQL 12');
  linkSync(path.join(data, 'base/16384/20000'), path.join(kept, 'base/16384/20000'));
  write('upgrade-logs/pg_upgrade_server.log', 'done\n');
  if (by === 'ours') {
    write('.postgresql-upgrade/journal', 'done\n');
    const { stdout } = spawnSync('sh', ['-c', `cksum <'${kept}/global/pg_control.old'`], { encoding: 'utf8' });
    write('data/.postgresql-upgrade', `run=${run}\ntransfer=link\nold_control=${stdout.trim()}\n`);
  } else {
    // As pg_upgrade writes it in the vendor's Job: the path is that from before its renames.
    write('upgrade-logs/delete_old_cluster.sh', `#!/bin/sh\n\nrm -rf '${data}-12'\n`);
    chmodSync(path.join(root, 'upgrade-logs/delete_old_cluster.sh'), 0o700);
  }
  // A server works in its data directory.
  const servers = [0, 1001].map((uid) => spawn('sleep', ['600'], { cwd: data, stdio: 'ignore', uid, gid: uid }));
  return {
    ...{ root, data, kept },
    endServer: async () => {
      const ends = servers.map((server) => once(server, 'exit'));
      for (const server of servers) server.kill('SIGKILL');
      await Promise.all(ends);
    },
    [Symbol.dispose]: () => {
      for (const server of servers) server.kill('SIGKILL');
      rmSync(root, { recursive: true, force: true });
    },
  };
}

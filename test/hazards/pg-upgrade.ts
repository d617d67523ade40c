import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, Server, type Locale } from './server.ts';

/** A fresh cluster of PostgreSQL 14, and pg_upgrade into it; its output and logs. */
export function pgUpgrade(
  old: Server,
  name: string,
  {
    locale = old.locale,
    settings = {},
    transfer = 'copy',
  }: { locale?: Locale; settings?: NodeJS.ProcessEnv; transfer?: 'link' | 'copy' } = {},
): { status: number | null; output: string; fresh: Server } {
  const { installations } = old;
  const fresh = new Server(installations, name, 14, locale);
  fresh.initialise();
  const [bin12, bin14] = [installations.bin(12, ''), installations.bin(14, '')];
  const places = ['-b', bin12, '-B', bin14, '-d', old.data, '-D', fresh.data, '-U', bootstrap, '-s', fresh.place];
  const environment = { ...settings, ...(locale.directory === undefined ? {} : { LOCPATH: locale.directory }) };
  const mode = transfer === 'link' ? ['--link'] : [];
  const program = installations.bin(14, 'pg_upgrade');
  const { status, output } = installations.run(program, [...places, ...mode], fresh.place, environment);
  const logs = readdirSync(fresh.place).filter((file) => file.endsWith('.log') || file.endsWith('.txt'));
  const all = [output, ...logs.map((file) => readFileSync(join(fresh.place, file), 'utf8'))].join('\n');
  return { status, output: all, fresh };
}

// What a remedy leaves as it was: each applied as it is printed, in a real 12.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { commandsOf, findingsOf } from './findings.ts';
import { remedyCases } from './remedy-cases.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;

beforeAll(() => {
  installations = new Installations();
  server = new Server(installations, 'remedies');
  server.initialise();
  server.start();
  server.createLogin();
  server.sql('postgres', 'CREATE ROLE reader; CREATE ROLE writer;');
});

afterAll(() => {
  server.stop();
  installations.remove();
});

test.each(remedyCases.map((c) => [c.check, c.keeps, c] as const))(
  'the remedy of %s keeps %s',
  async (check, _keeps, { fails, look, left }) => {
    server.sql('postgres', 'CREATE DATABASE remedied');
    try {
      server.sql('remedied', fails);
      const found = (await findingsOf(server))[check];
      expect(found?.status).toBe('failed');
      server.sql('postgres', commandsOf(found));
      expect(server.sql('remedied', look).trim().split('\n')).toEqual(left);
      expect((await findingsOf(server))[check]?.status).toBe('passed');
    } finally {
      server.sql('postgres', 'DROP DATABASE remedied');
    }
  },
);

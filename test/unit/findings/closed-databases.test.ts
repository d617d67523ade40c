import { expect, test } from '@jest/globals';
import { answerOf, databaseFacts, databases, known } from '../prechecks/facts.ts';

const withClosed = known([...databases, databaseFacts('closed', { allowsConnections: false })]);

test.each(['extensions', 'libraries', 'sort-order'])(
  '%s has not passed where a database could not be asked',
  async (id) => {
    expect((await answerOf(id)).status).toBe('passed');
    const answer = await answerOf(id, { databases: withClosed });
    expect(answer.status).toBe('unknown');
    expect(answer.evidence).toContain('closed: nobody can connect to this database');
    expect(answer.remedy?.text).toContain('database-connections and invalid-databases');
  },
);

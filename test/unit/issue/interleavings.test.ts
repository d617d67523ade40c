// Runs that overlap in every way, and die in every place: whatever they leave, the next one brings it to the same end.
import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { conditionOf, isEmpty } from '../../../src/issue/condition.ts';
import {
  keptIssue,
  nextMove,
  type Found,
  type Move,
  type OwnComment,
  type OwnIssue,
} from '../../../src/issue/moves.ts';
import type { IssueSettings } from '../../../src/issue/settings.ts';
import type { Status } from '../../../src/findings/finding.ts';
import { finding, settings } from './scene.ts';

/** GitHub, as far as moves see it. */
class World {
  issues: OwnIssue[] = [];
  comments: (OwnComment & { readonly issue: number })[] = [];
  private last = 0;

  read(): Found {
    const kept = keptIssue(this.issues);
    return {
      issues: [...this.issues],
      comments: this.comments.filter(({ issue }) => issue === kept?.number),
    };
  }

  write(move: Move, wanted: IssueSettings): void {
    const condition = conditionOf(wanted);
    const data = { namespace: 'x', uid: 'y', ...condition };
    switch (move.does) {
      case 'open':
        this.last++;
        this.issues.push({
          ...{ number: this.last, url: '', state: 'open', before: '', after: '' },
          data: { ...data, change: 0 },
        });
        break;
      case 'drop':
        this.issues = this.issues.filter(({ number }) => number !== move.issue.number);
        break;
      case 'delete':
        this.comments = this.comments.filter(({ id }) => id !== move.comment.id);
        break;
      case 'tell':
        this.last++;
        this.comments.push({ id: this.last, issue: move.issue.number, ...move.told });
        break;
      case 'update':
        this.change(move.issue.number, { data: { ...data, change: move.change }, state: move.state });
        break;
    }
  }

  change(number: number, to: Partial<OwnIssue>): void {
    this.issues = this.issues.map((issue) => (issue.number === number ? { ...issue, ...to } : issue));
  }
}

/** One run, which reads and writes in turn. */
class Run {
  private readonly made: Move['does'][] = [];
  private move: Move | undefined;
  private reads = true;
  hasEnded = false;

  constructor(
    private readonly world: World,
    private readonly wanted: IssueSettings,
  ) {}

  step(): void {
    if (this.hasEnded) return;
    if (this.reads) {
      this.move = nextMove(this.world.read(), this.wanted);
      const does = this.move?.does;
      this.hasEnded = does === undefined || (['open', 'tell', 'update'].includes(does) && this.made.includes(does));
    } else if (this.move !== undefined) {
      this.world.write(this.move, this.wanted);
      this.made.push(this.move.does);
    }
    this.reads = !this.reads;
  }

  finish(): number {
    while (!this.hasEnded) this.step();
    return this.made.length;
  }
}

const statuses = fc.constantFrom<Status>('passed', 'warning', 'failed', 'unknown');
const facts = fc
  .tuple(statuses, statuses, statuses)
  .map((all) => settings(all.map((status, i) => finding(['majors', 'clients', 'files'][i] ?? '', status))));
const schedule = fc.array(fc.nat(2), { maxLength: 40 });

/** Some runs in turn, then three at once, of which each may die at any step. */
function disturb(world: World, earlier: IssueSettings[], overlapping: IssueSettings[], steps: number[]): void {
  for (const wanted of earlier) new Run(world, wanted).finish();
  const runs = overlapping.map((wanted) => new Run(world, wanted));
  for (const actor of steps) runs[actor]?.step();
}

describe('whatever overlapped and died before', () => {
  const before = [
    fc.array(facts, { maxLength: 3 }),
    fc.array(facts, { minLength: 3, maxLength: 3 }),
    schedule,
  ] as const;

  test('a run comes to one issue, open if and only if something is red, and the next one has nothing to write', () => {
    fc.assert(
      fc.property(...before, facts, (earlier, overlapping, steps, last) => {
        const world = new World();
        disturb(world, earlier, overlapping, steps);
        new Run(world, last).finish();
        const { red, others } = conditionOf(last);
        const open = world.issues.filter(({ state }) => state === 'open');
        expect(open).toHaveLength(isEmpty(red) ? 0 : 1);
        if (open[0] !== undefined) expect(open[0].data).toMatchObject({ red, others });
        expect(new Run(world, last).finish()).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });

  test('the last comment tells what is red, if there was ever anything to tell', () => {
    fc.assert(
      fc.property(...before, facts, (earlier, overlapping, steps, last) => {
        const world = new World();
        disturb(world, earlier, overlapping, steps);
        new Run(world, last).finish();
        const told = world.read().comments.toSorted((a, b) => a.change - b.change || a.id - b.id);
        const newest = told.filter(({ change }) => change === told.at(-1)?.change);
        if (newest.length > 0 && world.read().issues.some(({ state }) => state === 'open'))
          expect(newest.map(({ red }) => red)).toContainEqual(conditionOf(last).red);
      }),
      { numRuns: 3000 },
    );
  });

  test('runs with the same facts tell each change once', () => {
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 4 }), facts, schedule, (earlier, wanted, steps) => {
        const world = new World();
        disturb(world, earlier, [wanted, wanted, wanted], steps);
        new Run(world, wanted).finish();
        const changes = world.read().comments.map(({ change }) => change);
        expect(new Set(changes).size).toBe(changes.length);
      }),
      { numRuns: 3000 },
    );
  });

  test('an issue that a person closed while it was red is opened for something new alone', () => {
    fc.assert(
      fc.property(facts, facts, (first, second) => {
        const world = new World();
        new Run(world, first).finish();
        const [issue] = world.issues;
        if (issue === undefined) return;
        world.change(issue.number, { state: 'closed' });
        new Run(world, second).finish();
        const [was, is] = [conditionOf(first).red, conditionOf(second).red];
        const isNew = Object.entries(is).some(([id, status]) => was[id] !== status);
        expect(world.issues.map(({ state }) => state)).toEqual([isNew ? 'open' : 'closed']);
      }),
    );
  });
});

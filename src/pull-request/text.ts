import { longestBody } from '../github/markers.ts';
import type { PullRequest } from '../ports/github.ts';
import type { ChangedLine } from './changed-lines.ts';
import { describeChange, describeRun, titleOf } from './description.ts';
import { find, render, type Section } from './markers.ts';
import type { PullRequestSettings } from './settings.ts';

/** Takes secrets out of a text; one that has none stays as it is. */
type Redact = (text: string) => string;
const asItIs: Redact = (text) => text;

export function newText(
  settings: PullRequestSettings,
  lines: readonly ChangedLine[],
  redact: Redact = asItIs,
): { title: string; body: string } {
  const section = sectionOf(settings, lines, undefined, redact);
  const body = render(section);
  return { title: section.title, body: body.length <= longestBody ? body : render(shortened(section)) };
}

/**
 * What is to change in title and text. Ours is what stands between our markers,
 * and the title as long as it is the one we gave; the rest is people's.
 * @param redact as it is done with what is sent: what is compared with what was sent earlier has to be redacted too
 * @returns nothing to change as {}; a note when our part can't be brought up to date
 */
export function changedText(
  settings: PullRequestSettings,
  lines: readonly ChangedLine[],
  present: PullRequest,
  redact: Redact = asItIs,
): { change: { title?: string; body?: string }; note?: string } {
  const found = find(present.body);
  if (found === undefined) {
    return {
      change: {},
      note: `The text of pull request #${String(present.number)} has lost the markers of this action. The action left it as it is.`,
    };
  }
  const section = sectionOf(settings, lines, found.run, redact);
  const room = longestBody - found.before.length - found.after.length;
  const ours = [render(section), render(shortened(section))].find((text) => text.length <= room);
  if (ours === undefined) {
    return {
      change: {},
      note: `The text of pull request #${String(present.number)} leaves no room for this action's part. The action left it as it is.`,
    };
  }
  return {
    change: {
      ...(present.title === found.title && found.title !== section.title ? { title: section.title } : {}),
      ...(ours === found.text ? {} : { body: `${found.before}${ours}${found.after}` }),
    },
  };
}

/** A run that upgraded nothing has nothing to say about the upgrade: then what an earlier one said stays. */
function sectionOf(
  settings: PullRequestSettings,
  lines: readonly ChangedLine[],
  earlier: string | undefined,
  redact: Redact,
): Section {
  return {
    title: redact(titleOf(settings)),
    change: redact(describeChange(settings, lines)),
    run: redact(settings.upgrade === undefined && earlier !== undefined ? earlier : describeRun(settings)),
  };
}

function shortened(section: Section): Section {
  return { ...section, run: 'This part is too long for a pull request: see the summary of the workflow run.' };
}

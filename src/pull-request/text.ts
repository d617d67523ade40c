import { longestBody } from '../github/markers.ts';
import type { PullRequest } from '../ports/github.ts';
import type { ChangedLine } from './changed-lines.ts';
import { describeChange, describeRun, titleOf } from './description.ts';
import { find, render, type Section } from './markers.ts';
import type { PullRequestSettings } from './settings.ts';

export function newText(settings: PullRequestSettings, lines: readonly ChangedLine[]): { title: string; body: string } {
  const section = sectionOf(settings, lines, undefined);
  const body = render(section);
  return { title: section.title, body: body.length <= longestBody ? body : render(shortened(section)) };
}

/**
 * What is to change in title and text. Ours is what stands between our markers,
 * and the title as long as it is the one we gave; the rest is people's.
 * @returns nothing to change as {}; a note when our part can't be brought up to date
 */
export function changedText(
  settings: PullRequestSettings,
  lines: readonly ChangedLine[],
  present: PullRequest,
): { change: { title?: string; body?: string }; note?: string } {
  const found = find(present.body);
  if (found === undefined) {
    return {
      change: {},
      note: `The text of pull request #${String(present.number)} has lost the markers of this action, so that it was left as it is.`,
    };
  }
  const section = sectionOf(settings, lines, found.run);
  const room = longestBody - found.before.length - found.after.length;
  const ours = [render(section), render(shortened(section))].find((text) => text.length <= room);
  if (ours === undefined) {
    return {
      change: {},
      note: `The text of pull request #${String(present.number)} leaves no room for this action's part, so that it was left as it is.`,
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
function sectionOf(settings: PullRequestSettings, lines: readonly ChangedLine[], earlier: string | undefined): Section {
  return {
    title: titleOf(settings),
    change: describeChange(settings, lines),
    run: settings.upgrade === undefined && earlier !== undefined ? earlier : describeRun(settings),
  };
}

function shortened(section: Section): Section {
  return { ...section, run: 'The text is too long for a pull request; see the summary of the workflow run.' };
}

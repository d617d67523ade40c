"""A campaign is a list of cases; a case is one fault that strikes, and the new run which has to converge after it."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'job'))
from harness import Failure, expect  # noqa: E402


@dataclass
class Outcome:
    """What one case came to. acknowledged and lost count changes; seconds is the time that the new run took until it had converged."""
    campaign: str
    case: str
    proof: str = ''
    converged: bool = False
    acknowledged: int = 0
    lost: int = 0
    seconds: float = 0.0
    problem: str = ''


@dataclass
class Case:
    campaign: str
    name: str
    run: Callable = field(repr=False)  # gets its Outcome and fills it; whatever it raises is the problem


def converge(volume, command, outcome, **options):
    """One new run, which has to end with everything there: on PostgreSQL 14 after upgrade, on PostgreSQL 12 after revert. Compares with what had been acknowledged."""
    began = time.monotonic()
    code, result = volume.finish(volume.start(command, **options))
    outcome.seconds = max(outcome.seconds, time.monotonic() - began)
    wanted = (0, 'swapped' if command == 'upgrade' else 'fresh')
    expect((code, result['state']) == wanted, f"{command} ended with {(code, result['state'])}: {result['message']}\n{volume.log[-2500:]}")
    compare(volume, '14' if command == 'upgrade' else '12', outcome)
    outcome.converged = True


def compare(volume, version, outcome):
    """Every acknowledged change is asked for by name, and all content is compared with what it was."""
    present = set(volume.sql(version, 'SELECT change FROM acknowledged', 'app').split())
    outcome.acknowledged = len(volume.acknowledged)
    outcome.lost = len(volume.acknowledged - present)
    expect(outcome.lost == 0, f'{outcome.lost} of {outcome.acknowledged} acknowledged changes are lost')
    expect(not (volume.data / 'data-14').exists(), 'data-14 is nested under data')
    if version == '14':
        volume.expect_fourteen()
    else:
        volume.expect_twelve()


def acknowledge(volume, changes=200):
    """Commits that many changes one by one, and keeps those that the server acknowledged."""
    statements = 'CREATE TABLE IF NOT EXISTS acknowledged (change int PRIMARY KEY, body text);\n'
    statements += ''.join(f"INSERT INTO acknowledged VALUES ({change}, repeat(md5('{change}'), 20)) RETURNING change;\n" for change in range(changes))
    volume.acknowledged = set(volume.sql('12', statements, 'app').split())
    expect(len(volume.acknowledged) == changes, f'{len(volume.acknowledged)} of {changes} changes acknowledged')
    volume.remember()


def twin(volume, **options):
    """A copy of the volume, with what is known of it."""
    copy = type(volume)(volume, **options)
    copy.acknowledged = volume.acknowledged
    return copy


class Results:
    """A file with the seed and a line for each case that was run (those on the cluster too), so that a campaign which was cut off can be gone on with."""

    def __init__(self, path):
        self.path = Path(path)
        lines = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.is_file() else []
        self.seed = next((line['seed'] for line in lines if 'seed' in line), None)
        outcomes = [Outcome(**line) for line in lines if 'seed' not in line]
        self.converged = {(one.campaign, one.case): one for one in outcomes if one.converged and not one.problem}

    def begin(self, seed):
        if self.seed is None:
            self.write({'seed': seed})

    def write(self, line):
        with self.path.open('a') as file:
            file.write(json.dumps(line) + '\n')


def attempt(case, results):
    if earlier := results.converged.get((case.campaign, case.name)):
        return earlier
    outcome = Outcome(case.campaign, case.name)
    try:
        case.run(outcome)
        expect(outcome.proof, 'no proof of where the fault struck')
    except Exception as error:  # a case that ends in whatever way has failed, and the others go on
        outcome.problem = str(error) if isinstance(error, Failure) else f'{type(error).__name__}: {error}'
        outcome.converged = False
    results.write(asdict(outcome))
    print(line(outcome), flush=True)
    return outcome


def line(outcome):
    text = f"{'failed' if outcome.problem else 'passed'} {outcome.seconds:5.1f} s  {outcome.campaign}: {outcome.case}\n        struck: {outcome.proof}"
    return text + ('\n        ' + outcome.problem.replace('\n', '\n        ') if outcome.problem else '')


def run_cases(cases, results, at_once=2):
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda case: attempt(case, results), cases))


def table(outcomes):
    """Campaign, cases, how many converged, acknowledged changes, how many are lost, the longest time to convergence: one row per campaign."""
    rows = [('campaign', 'cases', 'converged', 'acknowledged changes', 'lost', 'longest time to convergence')]
    for name in dict.fromkeys(outcome.campaign for outcome in outcomes):
        of_it = [outcome for outcome in outcomes if outcome.campaign == name]
        rows.append((name, str(len(of_it)), str(sum(o.converged for o in of_it)), str(sum(o.acknowledged for o in of_it)),
                     str(sum(o.lost for o in of_it)), f'{max(o.seconds for o in of_it):.1f} s'))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    printed = [' | '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return '\n'.join([printed[0], '-|-'.join('-' * width for width in widths), *printed[1:]])

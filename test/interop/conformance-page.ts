import { type ConformanceCase, conformanceCases } from './conformance-cases.ts';
import { type Judgement, judge } from './conformance-judgement.ts';
import { knownReleases } from './known-releases.ts';

export const conformancePath = 'docs/conformance.md';

/** The page made of the cases, of what `can` decides now, and of what XRootD was seen to answer. */
export async function conformancePage(): Promise<string> {
  const judgements = await Promise.all(conformanceCases.map(judge));
  const rows = conformanceCases.map((one, index) => row(one, judgements[index]));
  const heads = ['case', 'expected', '`tokeep can`', ...knownReleases.map((release) => `XRootD ${release}`)];
  return [
    ...introduction,
    line(heads),
    line(heads.map(() => '---')),
    ...rows,
    '',
    ...remarks.map((remark, index) => `${index + 1}. ${sentence(remark)}`),
    '',
  ].join('\n');
}

const remarks = [...new Set(conformanceCases.flatMap(({ remark }) => remark ?? []))];

const introduction = [
  '# The WLCG compliance suite, case by case',
  '',
  '<!-- made by test/interop/write-conformance.ts -->',
  '',
  'The [WLCG JWT compliance suite](https://github.com/indigo-iam/wlcg-jwt-compliance-tests) tries what a storage makes of tokens. Here are its 29',
  'cases, those that judge several requests in a row for each. *Expected* is what the suite takes for right. `tokeep can` decides from the same',
  'tokens, with the same audience, `base_path` and rules for groups as the XRootD beside it; it has no files, so where a storage may say that a',
  'file is not there (404), it says allowed. **Bold** is what the suite does not expect.',
  '',
  'XRootD 5.5.3 (with libscitokens 0.7.3) is the one of Debian 12; the others are 5.8.1 (1.1.3, Debian 13) and 6.2.0 (1.4.1). The interoperability tests',
  '([how](../test/interop/README.md)) run every case against the XRootD of the machine, and hold its column true.',
  '',
];

function row(one: ConformanceCase, judgement: Judgement | undefined): string {
  const answers = knownReleases.map((release) =>
    told(`${one.answered[release]}`, one.expected.includes(one.answered[release])),
  );
  const decided = judgement?.kind ?? 'refused';
  const opens = !one.expected.some((status) => [401, 403].includes(status));
  const can = told(decided, (decided === 'allowed') === opens);
  const remark = one.remark === undefined ? '' : ` ${mark(remarks.indexOf(one.remark))}`;
  return line([one.title + remark, one.expected.join(' or '), can, ...answers]);
}

const told = (answer: string, right: boolean): string => (right ? answer : `**${answer}**`);
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const mark = (index: number): string => `(${index + 1})`;
const sentence = (text: string): string => `${text[0]?.toUpperCase()}${text.slice(1)}.`;

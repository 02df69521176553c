import { printable } from '../observe/printable.ts';
import type { ReleaseVerdict } from '../verify/explain.ts';
import type { PresentedToken, Turn, Verdict } from '../verify/explanation.ts';
import { releaseName, type Service, serviceNames } from '../verify/services.ts';
import type { Paint } from './context.ts';

/** All that `tokeep explain` found out. */
export interface Explained {
  readonly from: string;
  readonly service: Service;
  /** The action, and the path if there is one. */
  readonly asked: string;
  readonly token: PresentedToken;
  readonly strict: Verdict;
  readonly releases: readonly ReleaseVerdict[];
  readonly warnings: readonly string[];
}

/** For `--json`. The claims are in it, the signature is not: it may go into a ticket. */
export function explanationDocument({ token, releases, ...rest }: Explained): object {
  const { header, claims } = token;
  return {
    ...rest,
    accepted: releases.every(({ accepted }) => accepted),
    releases: releases.map(({ release, ...verdict }) => ({
      release: release.version,
      libscitokens: release.library.version,
      from: release.from,
      ...verdict,
    })),
    token: { header, claims },
  };
}

/** The strict verdict first, then those of the releases; releases that say the same stand together. */
export function explanationLines(explained: Explained, paint: Paint): readonly string[] {
  const { from, service, asked, token, strict, releases, warnings } = explained;
  return [
    `${paint.dim('asked')}  ${serviceNames[service]}: ${printable(asked)}, with the token from ${printable(from)}`,
    ...claimLines(token, paint),
    '',
    ...verdictLines(['by the rules'], strict, paint),
    ...together(releases).flatMap((group) => {
      const names = group.map(({ release }) => `${releaseName(release)} (${release.from})`);
      const [first] = group;
      return first === undefined ? [] : ['', ...verdictLines(names, first, paint)];
    }),
    ...(warnings.length === 0 ? [] : ['']),
    ...warnings.map((warning) => `${paint.warn('!')} ${printable(warning)}`),
  ];
}

const shownClaims = ['iss', 'sub', 'aud', 'scope', 'wlcg.groups', 'ver', 'wlcg.ver'];

function claimLines({ claims }: PresentedToken, paint: Paint): readonly string[] {
  const said = shownClaims
    .filter((name) => name in claims)
    .map((name) => `${name} ${typeof claims[name] === 'string' ? claims[name] : JSON.stringify(claims[name])}`);
  return [`${paint.dim('token')}  ${printable(said.join(', '))}`];
}

const turns: Readonly<Record<Turn, string>> = {
  user: 'for whoever asks for the token',
  issuer: 'for the issuer',
  site: 'for the site',
};

function verdictLines(names: readonly string[], verdict: Verdict, paint: Paint): readonly string[] {
  const { accepted, rule, why, log, fix, turn, remarks } = verdict;
  const word = accepted ? paint.good('accepted') : paint.bad('refused');
  const [last = '', ...before] = names.toReversed();
  return [
    ...before.toReversed().map((name) => `${paint.bold(name)} and`),
    `${paint.bold(last)}: ${word} (${printable(rule)})`,
    `  ${printable(why)}`,
    ...(log === undefined ? [] : [`  in its log: ${printable(log)}`]),
    ...(fix === undefined ? [] : [`  what helps${turn === undefined ? '' : ` (${turns[turn]})`}: ${printable(fix)}`]),
    ...remarks.map((remark) => `  note: ${printable(remark)}`),
  ];
}

function together(releases: readonly ReleaseVerdict[]): readonly (readonly ReleaseVerdict[])[] {
  const said = ({ release: _, ...verdict }: ReleaseVerdict) => JSON.stringify(verdict);
  return [...Map.groupBy(releases, said).values()];
}

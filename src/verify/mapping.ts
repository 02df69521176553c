import type { MapfileLine } from './ce-mapfile.ts';
import type { MapfileSet } from './ce-mapfile-files.ts';
import { mapByMapfile, principalOf } from './ce-mapfile-match.ts';
import { type MapRule, type MapRules, mapByRules } from './map-rules.ts';
import type { TokenIdentity } from './mapping-identity.ts';
import { mapByNameMapfile, type NameMapfile, type NameQuestion } from './name-mapfile.ts';

/** By what a site says who somebody is. */
export type MappingSource =
  /** HTCondor-CE. Where a line hands over to plugins, the rules are asked, as `tokeep map --plugin` would. */
  | { readonly kind: 'mapfile'; readonly set: MapfileSet; readonly rules?: MapRules }
  | { readonly kind: 'rules'; readonly rules: MapRules }
  | {
      readonly kind: 'name-mapfile';
      readonly mapfile: NameMapfile;
      /** Those of the claim that the issuer's section names, where it is another one than WLCG's. */
      readonly groups?: readonly string[];
      readonly place: Pick<NameQuestion, 'username' | 'path' | 'basePaths' | 'compares'>;
    };

/** Sentences are lower case without a full stop; they quote claims, so whoever prints them makes them printable. */
export type Mapping =
  | { readonly kind: 'mapped'; readonly user: string; readonly by: string; readonly why: string }
  | {
      readonly kind: 'refused';
      /** `unclear`: a line that cannot be judged here stands before any that fits. */
      readonly code: 'banned' | 'denied' | 'unmapped' | 'unusable' | 'unclear';
      readonly why: string;
      readonly hint?: string;
    };

/** Which local user somebody is, and by which line. */
export function mapIdentity(source: MappingSource, identity: TokenIdentity): Mapping {
  switch (source.kind) {
    case 'mapfile':
      return byMapfile(source.set, source.rules, identity);
    case 'rules':
      return byRules(source.rules, identity);
    case 'name-mapfile':
      return byNameMapfile(source.mapfile, {
        ...source.place,
        subject: identity.subject,
        groups: source.groups ?? identity.groups,
      });
  }
}

function byMapfile({ lines }: MapfileSet, rules: MapRules | undefined, identity: TokenIdentity): Mapping {
  const principal = principalOf(identity.issuer, identity.subject);
  const found = mapByMapfile(lines, 'SCITOKENS', principal);
  switch (found.kind) {
    case 'mapped':
      return mapped(found.user, placeOf(found.line), `${principal} is ${found.user} by ${shown(found.line)}`);
    case 'banned':
      return { kind: 'refused', code: 'banned', why: `${principal} is banned by ${shown(found.line)}` };
    case 'unusable': {
      const why = `${principal} becomes "${found.user}" by ${shown(found.line)}, which is no name of a user`;
      return { kind: 'refused', code: 'unusable', why };
    }
    case 'unknown':
      return {
        kind: 'refused',
        code: 'unclear',
        why: `whether ${shown(found.line)} fits ${principal} cannot be said: ${found.why}`,
        hint: 'write the pattern in simpler words, with a bound on what repeats',
      };
    case 'plugin':
      return byPlugin(found.line, rules, identity);
    case 'none':
      return unmapped(
        `no line for SCITOKENS fits ${principal}`,
        found.nearest && `${found.nearest.file}:${found.nearest.line}: ${found.nearest.why}`,
      );
  }
}

function byPlugin(line: MapfileLine, rules: MapRules | undefined, identity: TokenIdentity): Mapping {
  if (rules !== undefined) return byRules(rules, identity);
  return {
    kind: 'refused',
    code: 'unclear',
    why: `${shown(line)} hands over to plugins of HTCondor`,
    hint: 'if the plugin is tokeep, give its rules too: --rules FILE',
  };
}

function byRules(rules: MapRules, identity: TokenIdentity): Mapping {
  const who = `subject ${identity.subject} of ${identity.issuer}`;
  const found = mapByRules(rules, identity);
  switch (found.kind) {
    case 'mapped':
      return mapped(found.user, ruleAt(rules, found.rule), `${who} is ${found.user} by ${ruleAt(rules, found.rule)}`);
    case 'denied':
      return { kind: 'refused', code: 'denied', why: `${who} is denied by ${ruleAt(rules, found.rule)}` };
    case 'none':
      return unmapped(
        `no rule of ${rules.file} fits ${who}`,
        found.nearest && `rule ${found.nearest.rule.number} would fit, but ${found.nearest.why}`,
      );
  }
}

function byNameMapfile({ file, rules }: NameMapfile, question: NameQuestion): Mapping {
  const found = mapByNameMapfile(rules, question);
  const at = (number: number) => `${file}, rule ${number}`;
  const who = `subject ${question.subject} at ${question.path}`;
  if (found.kind === 'mapped') {
    const place = at(found.rule.number);
    return mapped(found.user, place, `${who} is ${found.user} by ${place}`);
  }
  const { nearest } = found;
  if (question.username !== '') {
    return mapped(
      question.username,
      file,
      `no rule of ${file} fits ${who}; the issuer's section makes it ${question.username}, where its scopes allow the request`,
    );
  }
  return unmapped(
    `no rule of ${file} fits ${who}`,
    nearest && `rule ${nearest.rule.number} would fit, but ${nearest.why}`,
  );
}

const mapped = (user: string, by: string, why: string): Mapping => ({ kind: 'mapped', user, by, why });

function unmapped(why: string, hint: string | undefined): Mapping {
  return { kind: 'refused', code: 'unmapped', why, ...(hint === undefined ? {} : { hint }) };
}

const placeOf = ({ file, line }: MapfileLine): string => `${file}:${line}`;

const shown = (line: MapfileLine): string => `${placeOf(line)} (${line.text})`;

const ruleAt = ({ file }: MapRules, { number }: MapRule): string => `${file}, rule ${number}`;

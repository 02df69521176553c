import type { AudienceWish, ScopeWish } from '../config/config.ts';
import { unfitScope } from '../config/wish.ts';
import { audienceOf, scopeOf, splitWords } from '../config/word-list.ts';
import type { AskedOfTop } from './top-file.ts';

/** What somebody asked for with a credential, read. `kind: 'unfit'`: `why` goes on after the name of the file. */
export type AskedRights =
  | { readonly kind: 'rights'; readonly scope: ScopeWish; readonly audience: AudienceWish }
  | { readonly kind: 'unfit'; readonly why: string };

const longestText = 8192;
const mostWords = 256;

/**
 * Scopes and audiences are separated by blanks, commas, or both: users write both into submit files, and condor_submit stores them as they
 * were. Text without a word in it asks for nothing by name. Texts stay in the file as they are; this is what is sent.
 */
export function askedRights({ scopes = '', audience = '' }: AskedOfTop): AskedRights {
  const unfit = unfitText('scopes', scopes) ?? unfitText('audience', audience);
  if (unfit !== undefined) return { kind: 'unfit', why: unfit };
  const words = splitWords(scopes);
  const scope: ScopeWish = words.length === 0 ? { kind: 'absent' } : scopeOf(words);
  if (unfitScope(scope) !== undefined) {
    return { kind: 'unfit', why: 'asks for scopes with characters that no scope has (RFC 6749 section 3.3)' };
  }
  return { kind: 'rights', scope, audience: audienceOf(splitWords(audience)) };
}

function unfitText(member: string, text: string): string | undefined {
  if (text.length > longestText) return `has ${member} of ${text.length} characters, which is too long`;
  if (!/^[\x20-\x7e\t]*$/.test(text)) return `has ${member} with characters that cannot be sent`;
  const count = splitWords(text).length;
  return count > mostWords ? `has ${count} ${member}, which is too many` : undefined;
}

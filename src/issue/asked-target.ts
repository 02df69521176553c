import type { Form } from '../serve/form.ts';
import { isForEveryone } from '../token/audience.ts';
import { type Refusal, refusal } from './token-grant.ts';

/** For whom a token is asked, and for what. */
export interface AskedTarget {
  readonly audiences: readonly string[];
  /** One of the audiences that mean every service was asked for. */
  readonly everyone: boolean;
  /** Undefined if none were asked for. */
  readonly scopes: readonly string[] | undefined;
}

/** `audience` as WLCG clients send it (blank separated) and as RFC 8693 has it (repeated); `resource` of RFC 8707; `scope`. */
export function askedTarget(form: Form): AskedTarget | Refusal {
  const resources = form.all('resource');
  const odd = resources.find((resource) => !isResource(resource));
  if (odd !== undefined) return refusal('invalid_target', 'a resource is an absolute URI without a fragment');
  const audiences = [...new Set([...form.all('audience').flatMap(words), ...resources])];
  if (audiences.length > most) return refusal('invalid_target', `at most ${most} audiences can be asked for at once`);
  const scopes = form.one('scope');
  return {
    audiences,
    everyone: audiences.some(isForEveryone),
    scopes: scopes === undefined ? undefined : words(scopes),
  };
}

const most = 50;

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

const isResource = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:/i.test(text) && !text.includes('#') && URL.canParse(text);

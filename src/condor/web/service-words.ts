import { scopeInWords } from '../../token/scope-words.ts';
import { foreign, type Html, html } from './html.ts';
import { issuerHost, type Service, scopesOf, serviceTitle } from './service.ts';

/** No page gets longer than this by what somebody wrote into a submit file. */
const mostScopes = 40;

/** What is not for the job but for the login itself (OpenID Connect Core 5.4 and 11). */
const ofTheLogin: ReadonlyMap<string, string> = new Map([
  ['openid', 'learn which account is yours there'],
  ['profile', 'see your name and profile'],
  ['email', 'see your e-mail address'],
  ['offline_access', 'renew the token without you, while you have jobs'],
]);

/** What a service is asked for: where one logs in, what the job will be able to do, and with whom. */
export function serviceFacts(service: Service): Html {
  const scopes = scopesOf(service.scopes);
  const own = scopes.filter((scope) => ofTheLogin.has(scope));
  const jobs = scopes.filter((scope) => !ofTheLogin.has(scope));
  return html`<dl>
<dt>You log in at</dt><dd>${foreign(issuerHost(service))}</dd>
<dt>Your jobs will be able to</dt><dd>${jobs.length === 0 ? 'do what the issuer gives to this client by itself' : listed(jobs)}</dd>
<dt>With</dt><dd>${service.audience === '' ? 'any service that takes its tokens' : foreign(service.audience)}</dd>
${own.length === 0 ? undefined : html`<dt>This access point will</dt><dd>${listed(own)}</dd>`}
</dl>`;
}

export const titleOf = (service: Service): string => foreign(serviceTitle(service));

function listed(scopes: readonly string[]): Html {
  const more = scopes.length - mostScopes;
  const lines = scopes.slice(0, mostScopes).map(
    (scope) => html`<li>${inWords(scope)} <code>${foreign(scope)}</code></li>
`,
  );
  return html`<ul>
${lines}${more > 0 ? html`<li>and ${more} more</li>` : undefined}</ul>`;
}

const inWords = (scope: string): string =>
  foreign(ofTheLogin.get(scope) ?? scopeInWords(scope) ?? 'do something that only the issuer can explain:');

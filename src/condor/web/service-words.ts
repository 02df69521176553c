import { scopeInWords } from '../../token/scope-words.ts';
import { foreign, type Html, html } from './html.ts';
import { type Service, scopesOf, serviceTitle } from './service.ts';

/** No page gets longer than this by what somebody wrote into a submit file. */
const mostScopes = 40;

/** What a service is asked for: where one logs in, what the job will be able to do, and with whom. */
export const serviceFacts = (service: Service): Html => html`<dl>
<dt>You log in at</dt><dd>${foreign(service.issuerHost)}</dd>
<dt>Your jobs will be able to</dt><dd>${permissions(service.scopes)}</dd>
<dt>With</dt><dd>${service.audience === '' ? 'any service that takes its tokens' : foreign(service.audience)}</dd>
</dl>`;

export const titleOf = (service: Service): string => foreign(serviceTitle(service));

function permissions(scopes: string): Html {
  const list = scopesOf(scopes);
  if (list.length === 0) return html`do whatever the issuer gives to this client by itself`;
  const more = list.length - mostScopes;
  const lines = list.slice(0, mostScopes).map(
    (scope) => html`<li>${inWords(scope)} <code>${foreign(scope)}</code></li>
`,
  );
  return html`<ul>
${lines}${more > 0 ? html`<li>and ${more} more</li>` : undefined}</ul>`;
}

const inWords = (scope: string): string => foreign(scopeInWords(scope) ?? 'something only the issuer can explain:');

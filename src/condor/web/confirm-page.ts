import { foreign, html } from './html.ts';
import { leadingTo, type Page } from './page.ts';
import type { Service } from './service.ts';
import { serviceFacts, titleOf } from './service-words.ts';

export interface ConfirmTerms {
  readonly base: string;
  /** The name of the request file. */
  readonly request: string;
  readonly user: string;
  readonly host: string;
  readonly services: readonly Service[];
  readonly formToken: string;
  /** The site's own login, where it wants one. */
  readonly person:
    | { readonly kind: 'not-asked' }
    | { readonly kind: 'needed'; readonly at: URL }
    | { readonly kind: 'known'; readonly name: string };
}

/** What `GET /key/<hex>` shows: who asked for what. Nothing happens before the button is pressed. */
export function confirmPage(terms: ConfirmTerms): Page {
  const { services } = terms;
  const user = foreign(terms.user);
  const them = services.length === 1 ? 'this service' : `these ${services.length} services`;
  return {
    status: 200,
    title: `Tokens for ${user}`,
    body: html`<h1>Tokens for HTCondor jobs</h1>
<p>The local user <strong>${user}</strong> on <strong>${terms.host}</strong> asked for tokens, so that their jobs can use ${them}:</p>
${services.map(
  (service) => html`<section class="service">
<h2>${titleOf(service)}</h2>
${serviceFacts(service)}
</section>
`,
)}<section class="ask">
<h2>Is this you?</h2>
<p>Only go on if you are <strong>${user}</strong> and have just run <code>condor_submit</code> on ${terms.host}. If somebody sent you this link, close this page: <em>their</em> jobs would run with <em>your</em> rights.</p>
${terms.person.kind === 'known' ? html`<p>You are logged in here as <strong>${foreign(terms.person.name)}</strong>.</p>` : undefined}
${button(terms)}
</section>`,
    ...(terms.person.kind === 'needed' ? { formTargets: leadingTo(terms.person.at) } : {}),
  };
}

function button({ base, request, user, formToken, person }: ConfirmTerms) {
  const token = html`<input type="hidden" name="token" value="${formToken}">`;
  if (person.kind !== 'needed') {
    return html`<form method="post" action="${base}/key/${request}">${token}<button>I am ${foreign(user)}: go on</button></form>`;
  }
  return html`<p>This site wants to know who you are first.</p>
<form method="post" action="${base}/sign-in">${token}<input type="hidden" name="request" value="${request}"><button>Log in at ${person.at.host}</button></form>`;
}

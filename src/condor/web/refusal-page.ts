import { html } from './html.ts';
import type { Page } from './page.ts';
import { leadsToList, type RefusalName, refusals } from './refusals.ts';

/** Whoever is logged in as somebody else has to be able to begin anew; `formToken` is for that button. */
export type LeaveWith = { readonly formToken: string } | undefined;

/** A page that says why it does not go on, with a way on. */
export function refusalPage(name: RefusalName, base: string, requestId: string, leave?: LeaveWith): Page {
  const { status, title, text, next } = refusals[name];
  return {
    status,
    title,
    body: html`<h1>${title}</h1>
<p>${text}</p>
<p><strong>What to do:</strong> ${next}</p>
${leadsToList(name) ? html`<p><a href="${base}/">Your list of services</a></p>` : undefined}
${leave === undefined ? undefined : html`<form method="post" action="${base}/leave"><input type="hidden" name="token" value="${leave.formToken}"><button>Log in as somebody else</button></form>`}
<p class="small">Request ${requestId}</p>`,
  };
}

import { html } from './html.ts';
import type { Page } from './page.ts';
import { leadsToList, type RefusalName, refusals } from './refusals.ts';

/** A page that says why it does not go on, with a way on. */
export function refusalPage(name: RefusalName, base: string, requestId: string): Page {
  const { status, title, text, next } = refusals[name];
  return {
    status,
    title,
    body: html`<h1>${title}</h1>
<p>${text}</p>
<p><strong>What to do:</strong> ${next}</p>
${leadsToList(name) ? html`<p><a href="${base}/">Your list of services</a></p>` : undefined}
<p class="small">Request ${requestId}</p>`,
  };
}

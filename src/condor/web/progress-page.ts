import { span, timestamp } from '../../observe/printable.ts';
import { between, type Epoch } from '../../token/time.ts';
import { foreign, type Html, html } from './html.ts';
import type { Progress } from './kept-login.ts';
import type { Page } from './page.ts';
import { issuerHost, type Service, serviceKey } from './service.ts';
import { serviceFacts, titleOf } from './service-words.ts';

export interface ProgressTerms {
  readonly base: string;
  readonly user: string;
  readonly host: string;
  readonly services: readonly (Service & { readonly progress: Progress })[];
  readonly formToken: string;
  readonly now: Epoch;
  /** Where the buttons lead, for the browser to allow. */
  readonly formTargets: readonly string[];
}

type Shown = ProgressTerms['services'][number];

/** The page looks again by itself as long as the credmon may be expected to be at it; after that people do. */
const soon = { every: 2, within: 60_000 };

/** The services of a session, how far each is, and what to do next. */
export function progressPage(terms: ProgressTerms): Page {
  const { services, base, now } = terms;
  const done = services.filter((service) => service.progress !== 'waiting').length;
  const isReady = services.every((service) => service.progress === 'ready');
  const pending = services.filter((service) => service.progress === 'logged-in');
  const isFresh = pending.some(({ last }) => last !== undefined && between(last.at, now) < soon.within);
  return {
    status: 200,
    title: isReady ? 'All done: submit again' : `${done} of ${services.length} logged in`,
    ...(isFresh ? { again: soon.every } : {}),
    formTargets: terms.formTargets,
    body: html`<h1>Logins of ${foreign(terms.user)} for jobs on ${terms.host}</h1>
${summary(terms, { done, isReady, isFresh })}
${services.map((service) => section(service, terms))}
${pending.length > 0 ? html`<p><a href="${base}/">Look again</a></p>` : undefined}
<form method="post" action="${base}/leave" class="leave"><input type="hidden" name="token" value="${terms.formToken}"><button class="quiet">Leave</button> <span class="small">This browser forgets the logins; your jobs keep their tokens.</span></form>`,
  };
}

interface Standing {
  readonly done: number;
  readonly isReady: boolean;
  /** The credmon may be at it. */
  readonly isFresh: boolean;
}

function summary({ services }: ProgressTerms, { done, isReady, isFresh }: Standing): Html {
  if (isReady) {
    return html`<section class="done" role="status">
<h2>All done: now submit again</h2>
<p>Go back to your terminal, and run the same command once more. This time the job is taken:</p>
<pre><code>condor_submit your-job.sub</code></pre>
<p>The tokens are kept fresh for as long as you have jobs here${services.some(isUnrenewable) ? ', except where it says otherwise below' : ''}. You can close this page.</p>
</section>`;
  }
  if (done === services.length) {
    const how = isFresh
      ? 'The tokens are being made; this takes a few seconds.'
      : 'The tokens are not there yet, which takes longer than usual. Look again in a minute. If it stays so, tell the administrator of this access point.';
    return html`<p role="status">You are logged in everywhere. ${how}</p>`;
  }
  return html`<p role="status">${done} of ${services.length} logged in. Log in to each service below; you come back here each time.</p>`;
}

const isUnrenewable = ({ last }: Shown): boolean => last?.kind === 'logged-in' && last.unrenewable !== undefined;

const states: Readonly<Record<Progress | 'refused', string>> = {
  waiting: 'waiting for you',
  'logged-in': 'logged in, token on its way',
  ready: 'token ready',
  refused: 'not logged in',
};

function section(service: Shown, terms: ProgressTerms): Html {
  const refused = service.progress === 'waiting' && service.last?.kind === 'refused';
  const state = refused ? 'refused' : service.progress;
  return html`<section class="service ${state}">
<h2>${titleOf(service)} <span class="state">${states[state]}</span></h2>
${outcome(service, terms)}
${
  service.progress === 'waiting'
    ? html`${serviceFacts(service)}
${loginForm(service, terms, refused)}`
    : undefined
}
</section>
`;
}

function outcome({ last, progress }: Shown, { now }: ProgressTerms): Html | undefined {
  if (last === undefined) return progress === 'waiting' ? undefined : html`<p>You were logged in here already.</p>`;
  if (last.kind === 'refused') {
    if (progress !== 'waiting') return undefined;
    return html`<p class="why" role="alert">This did not work: ${foreign(last.why, 600)}.</p>
${last.hint === undefined ? undefined : html`<p>${foreign(last.hint, 600)}</p>`}`;
  }
  const who = last.who === undefined ? 'The issuer does not say as whom.' : `You are ${foreign(last.who)} there.`;
  const { unrenewable } = last;
  if (unrenewable === undefined) return html`<p>${who}</p>`;
  const { endsAt } = unrenewable;
  const end =
    endsAt === undefined ? 'at a time that it does not say' : `${timestamp(endsAt)} (in ${span(between(now, endsAt))})`;
  return html`<p>${who}</p>
<p class="why"><strong>This token cannot be renewed.</strong> The issuer gave no refresh token, so the token ends ${end}, and jobs that run longer will fail then. The scope <code>offline_access</code> may help: ask the administrator of this access point.</p>`;
}

const loginForm = (service: Shown, { base, formToken }: ProgressTerms, again: boolean): Html =>
  html`<form method="post" action="${base}/login/${encodeURIComponent(serviceKey(service))}"><input type="hidden" name="token" value="${formToken}"><button>${again ? 'Try again' : 'Log in'} at ${foreign(issuerHost(service))}<span class="hidden"> for ${titleOf(service)}</span></button></form>`;

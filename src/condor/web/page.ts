import type { FastifyReply } from 'fastify';
import { type Html, html } from './html.ts';

export interface Page {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  /** The page looks again by itself after so many seconds. */
  readonly again?: number;
  /** Where its forms may lead besides here, as sources of a Content Security Policy. */
  readonly formTargets?: readonly string[];
}

/** For the forms that lead to issuers: any https, since they send people on to login pages of others; one on this machine by its name. */
export const leadingTo = (...places: readonly URL[]): readonly string[] => [
  'https:',
  ...places.filter(({ protocol }) => protocol !== 'https:').map(({ origin }) => origin),
];

export const stylesheetPath = '/style.css';
export const iconPath = '/icon.svg';

/** Sends a page with the headers that keep it to itself (WEB-03); the rest of them come from serve/. */
export function sendPage(reply: FastifyReply, base: string, page: Page): FastifyReply {
  const targets = ["'self'", ...new Set(page.formTargets)].join(' ');
  reply.headers({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'self'; img-src 'self'; form-action ${targets}; base-uri 'none'; frame-ancestors 'none'`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'DENY',
  });
  // A header, since a page cannot be told to stop reloading itself by those who use it; only short waits are shown so.
  if (page.again !== undefined) reply.header('refresh', String(page.again));
  return reply.code(page.status).send(String(layout(base, page)));
}

const layout = (base: string, { title, body }: Page): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} - HTCondor tokens</title>
<link rel="stylesheet" href="${base}${stylesheetPath}">
<link rel="icon" href="${base}${iconPath}">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;

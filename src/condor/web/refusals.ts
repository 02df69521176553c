/** Why it does not go on, in words for the person who sees it, and what to do. The name stands in addresses. */
export interface PageRefusal {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly next: string;
}

const refusal = (status: number, title: string, text: string, next: string): PageRefusal => ({
  status,
  title,
  text,
  next,
});

const submitAgain = 'Run condor_submit again, and open the link that it prints.';

export const refusals = {
  'no-request': refusal(
    404,
    'This link is used up',
    'There is no request for tokens under this address. It was answered already, it is older than 12 hours, or the link is not whole.',
    `${submitAgain} If all your logins are done, the job is simply taken.`,
  ),
  unreadable: refusal(
    500,
    'This request cannot be read',
    'HTCondor asked for a login in a way that this page does not understand.',
    'Look at the permissions and the resource in your submit file for line ends and quotation marks. If there are none, tell the administrator of this access point.',
  ),
  'no-session': refusal(
    403,
    'This browser has no login under way',
    'A login begins with the link that condor_submit prints. This one was begun in another browser, or more than half an hour ago.',
    submitAgain,
  ),
  left: refusal(
    200,
    'You have left',
    'This browser has forgotten who you are and what you logged in for. Your jobs keep their tokens.',
    'You can close this page. To begin anew, open the link of condor_submit again.',
  ),
  'not-here': refusal(
    403,
    'This login was not begun here',
    'Somebody came back from an issuer with a login that this browser did not begin, or that was used already. Nothing was kept of it.',
    'If you were logging in just now, begin again from your list of services. If you were not, close this page.',
  ),
  'not-ours': refusal(
    403,
    'This did not come from a page here',
    'Your browser does not say that you pressed a button on one of our own pages, so nothing was done.',
    'Open the link of condor_submit again, and press the button there. Very old browsers, and text browsers, do not work.',
  ),
  'other-user': refusal(
    403,
    'This request is not yours',
    'You are logged in here as somebody else than the user whose jobs asked for these tokens.',
    'Only the user who ran condor_submit can answer it. If it was you, log in with the account of that user.',
  ),
  'no-proxy-user': refusal(
    403,
    'It is not known who you are',
    'This site wants its own login first, and the web server in front did not say who you are.',
    'Tell the administrator of this access point.',
  ),
  closed: refusal(
    503,
    'Logins are closed',
    "This site wants its own login first, and the settings for that are wrong. So nobody's login can be taken.",
    'Tell the administrator of this access point; the log of the web login names the setting.',
  ),
  'sign-in-failed': refusal(
    403,
    "The site's login did not work",
    'The login of this site did not say which local user you are.',
    'Try again. If it stays so, tell the administrator of this access point.',
  ),
  'issuer-away': refusal(
    503,
    'The issuer does not answer',
    'The service where you were to log in cannot be reached at the moment. Nothing was changed.',
    'Wait a little, and try again.',
  ),
  'too-many': refusal(429, 'Too many requests', 'This came too often in a short time.', 'Wait a minute, and reload.'),
  'no-page': refusal(404, 'There is no such page', 'Nothing is under this address.', submitAgain),
  unfit: refusal(
    400,
    'This request cannot be read',
    'What your browser sent is not what this page takes.',
    submitAgain,
  ),
  insecure: refusal(
    403,
    'Only by https',
    'Tokens are not handled over a connection that others can read.',
    'Use the link as condor_submit printed it.',
  ),
  later: refusal(
    503,
    'Not at the moment',
    'Something that is needed here is away for a moment.',
    'Wait a little, and reload.',
  ),
  fault: refusal(
    500,
    'Something went wrong here',
    'This is a fault of ours, not of yours. The log of the access point says more.',
    'Try again. If it stays so, tell the administrator, with the time.',
  ),
} as const;

export type RefusalName = keyof typeof refusals;

/** Nothing is on their list, or it is somebody else's. */
const withoutList: ReadonlySet<RefusalName> = new Set(['no-session', 'left', 'other-user', 'no-proxy-user', 'closed']);

/** Does it help to go to the list of services from there? */
export const leadsToList = (name: RefusalName): boolean => !withoutList.has(name);

export const isRefusalName = (text: string): text is RefusalName => Object.hasOwn(refusals, text);

/**
 * A plain client that refreshes: `refresh-load.ts URL CLIENT SECRET SECONDS CONNECTIONS`, refresh tokens as lines of its standard input. Each
 * connection takes the next login and sends what it got last; nothing is saved. Prints how many answers there were in a second.
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

const [url = '', client = '', secret = '', seconds = '1', connections = '16'] = process.argv.slice(2);
const logins = (await text(process.stdin)).trim().split('\n');
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });

async function refresh(token: string): Promise<string> {
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: client, client_secret: secret };
  const body = new URLSearchParams(form).toString();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
  request(url, { method: 'POST', agent, headers }, (response) => text(response).then(resolve, reject))
    .on('error', reject)
    .end(body);
  const { refresh_token: successor } = JSON.parse(await promise) as { refresh_token?: string };
  if (successor === undefined) throw new Error('the issuer refused the plain client');
  return successor;
}

let answers = 0;
const end = performance.now() + Number(seconds) * 1000;
async function chain(first: number): Promise<void> {
  for (let at = first; performance.now() < end; at = (at + Number(connections)) % logins.length) {
    logins[at] = await refresh(logins[at] ?? '');
    answers += 1;
  }
}
await Promise.all(Array.from({ length: Number(connections) }, (_, at) => chain(at)));
console.log(answers / Number(seconds));
process.exit(0);

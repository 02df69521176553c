/**
 * Issuers that each answer after a fixed time: `slow-issuers.ts COUNT MILLISECONDS LIFE`, one port each. Prints their origins as
 * one line of JSON; ends when its standard input is closed.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const [count = 1, delay = 0, life = 3600] = process.argv.slice(2).map(Number);

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = encoded({ alg: 'ES256', typ: 'at+jwt', kid: '1' });
/** Of the right length; nobody here looks at it. */
const signature = 'A'.repeat(86);
let made = 0;

function tokenOf(issuer: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: 'robot', jti: String(made++), iat: now, nbf: now, exp: now + life };
  return `${head}.${encoded({ ...claims, scope: 'storage.read:/' })}.${signature}`;
}

function answer(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  setTimeout(() => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      .end(text);
  }, delay);
}

async function startOne(): Promise<string> {
  const server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    request.resume();
    if (request.url === '/token') {
      answer(response, { access_token: tokenOf(issuer), token_type: 'Bearer', expires_in: life });
    } else
      answer(response, { issuer, token_endpoint: `${issuer}/token`, grant_types_supported: ['client_credentials'] });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

console.log(JSON.stringify(await Promise.all(Array.from({ length: count }, startOne))));
process.stdin.on('end', () => process.exit(0)).resume();

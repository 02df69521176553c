/**
 * Where an issuer shows its metadata and keys: `silent-key-place.ts JWKS-FILE`. Prints a {@link KeyPlaceTold} as one line of JSON; ends
 * when its standard input is closed. After POST {control}/silence connections are taken as before, and nothing is answered
 * any more; each answer of `control` says how many connections have come in this silence.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KeyPlaceTold {
  readonly issuer: string;
  readonly control: string;
}

const keySet = readFileSync(process.argv[2] ?? '', 'utf8');
let silent = false;
let came = 0;

const place = createServer((request, response) => {
  request.resume();
  if (silent) return;
  const issuer = originOf(place);
  const body = request.url === '/jwks' ? keySet : JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` });
  // No connection is kept, so that each look is a connection.
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(body);
});
place.on('connection', () => {
  if (silent) came += 1;
});

const control = createServer((request, response) => {
  request.resume();
  if (request.method === 'POST') silent = true;
  response.end(String(came));
});

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

for (const server of [place, control]) {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
}
console.log(JSON.stringify({ issuer: originOf(place), control: originOf(control) } satisfies KeyPlaceTold));
process.stdin.on('end', () => process.exit(0)).resume();

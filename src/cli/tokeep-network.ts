import { Socket } from 'node:net';
import { NetworkChild } from '../world/network-child.ts';

/**
 * The network process of the credmon, which starts it with a pipe as descriptor 3 and as a user without rights. It lives as long as the
 * pipe: what stops a whole group of processes (systemd does) must not end it before the requests of the credmon are.
 */
if (process.geteuid?.() === 0) process.exit(1);
process.umask(0o077);
for (const name of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(name, () => {});
await new NetworkChild(new Socket({ fd: 3, readable: true, writable: true })).run();
process.exit(0);

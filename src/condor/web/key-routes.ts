import type { FastifyInstance } from 'fastify';
import { readAsked } from './asked.ts';
import { confirmPage } from './confirm-page.ts';
import type { WebDesk } from './desk.ts';
import { progressOf } from './kept-login.ts';
import { leadingTo } from './page.ts';
import { isUser, personOf } from './person.ts';
import { progressPage } from './progress-page.ts';
import { Visit } from './visit.ts';

type Key = { Params: { key: string } };

/** From the link of condor_submit to the list of services. */
export function addKeyRoutes(app: FastifyInstance, desk: WebDesk): void {
  app.get<Key>(
    '/key/:key',
    async (request, reply) => await showRequest(new Visit(desk, request, reply), request.params.key),
  );
  app.post<Key>(
    '/key/:key',
    async (request, reply) => await confirm(new Visit(desk, request, reply), request.params.key),
  );
  app.get('/', async (request, reply) => await showProgress(new Visit(desk, request, reply)));
  app.post('/leave', async (request, reply) => {
    const visit = new Visit(desk, request, reply);
    if (visit.cookie !== undefined) await desk.sessions.end(visit.cookie);
    visit.dropCookie();
    return visit.goTo('/stopped/left');
  });
}

async function showRequest(visit: Visit, key: string) {
  const { world, place, web, base } = visit.desk;
  const session = await visit.session();
  if (session?.task?.request === key) return visit.goTo('/');
  const asked = await readAsked(world, place, key);
  if (asked.kind === 'absent') return visit.refuse('no-request');
  if (asked.kind === 'unreadable') return unreadable(visit, key, asked.why);
  const person = personOf(visit, session);
  if (person.kind === 'nobody') return visit.refuse(person.because);
  if (person.kind === 'known' && !isUser(person, asked.user)) return visit.refuse('other-user');
  const services = asked.services.map(({ service }) => service);
  const formToken = visit.formToken();
  return visit.show(confirmPage({ base, request: key, user: asked.user, host: web.host, services, formToken, person }));
}

/** "I am alice": binds this browser to the request, under an id that nobody knew before. */
async function confirm(visit: Visit, key: string) {
  const { world, place, sessions, log } = visit.desk;
  const session = await visit.session();
  const asked = await readAsked(world, place, key);
  if (asked.kind === 'absent') return visit.refuse('no-request');
  if (asked.kind === 'unreadable') return unreadable(visit, key, asked.why);
  const person = personOf(visit, session);
  if (person.kind === 'nobody') return visit.refuse(person.because);
  if (!isUser(person, asked.user)) return visit.refuse('other-user');
  const task = { request: key, user: asked.user, services: asked.services.map(({ service }) => service) };
  visit.setCookie(
    session?.person === undefined
      ? await sessions.begin({ task }, visit.cookie)
      : await sessions.begin({ task, person: session.person }, visit.cookie, session.since),
  );
  log.event('web-confirmed', { user: asked.user, services: task.services.length, address: visit.address });
  return visit.goTo('/');
}

function unreadable(visit: Visit, key: string, reason: string) {
  visit.desk.log.event('web-request-unreadable', { request: key.slice(0, 8), reason });
  return visit.refuse('unreadable');
}

async function showProgress(visit: Visit) {
  const { world, place, web, base } = visit.desk;
  const session = await visit.session();
  const task = session?.task;
  if (task === undefined) return visit.refuse('no-session');
  if (!isUser(personOf(visit, session), task.user)) return visit.refuse('other-user');
  const names = task.services.map(({ name }) => name);
  const found = await progressOf(world, place, task.user, names);
  const services = task.services.map((service) => ({ ...service, progress: found.get(service.name) ?? 'waiting' }));
  const waiting = services.some(({ progress }) => progress === 'waiting');
  return visit.show(
    progressPage({
      base,
      user: task.user,
      host: web.host,
      services,
      formToken: visit.formToken(),
      now: world.clock.now(),
      formTargets: waiting ? leadingTo(...task.services.map(({ issuerOrigin }) => new URL(issuerOrigin))) : [],
    }),
  );
}

import type { FastifyInstance } from 'fastify';

export interface Health {
  /** Can requests be answered: database, keys, not stopping? Rejections count as no. */
  readonly ready: () => Promise<boolean>;
}

/** `/healthz` (it answers at all) and `/readyz`, for load balancers and probes: `ok` or 503 `no`. They say nothing else. */
export function addHealth(app: FastifyInstance, { ready }: Health): void {
  const answer = (yes: boolean) => ({ status: yes ? 200 : 503, body: yes ? 'ok\n' : 'no\n' });
  const asked = { '/healthz': async () => true, '/readyz': () => ready().catch(() => false) };
  for (const [url, ask] of Object.entries(asked)) {
    app.get(url, async (_request, reply) => {
      const { status, body } = answer(await ask());
      return reply.code(status).header('content-type', 'text/plain; charset=utf-8').send(body);
    });
  }
}

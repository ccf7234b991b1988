import { Millrace } from '@millrace/client';
import { it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';
it('x', async () => {
  const redis = await startRedis();
  const prefix = ownPrefix();
  const w = await startWorker({ redisUrl: redis.url, prefix, env: { FAMILIES: 'text' } });
  const mill = new Millrace({ redisUrl: redis.url, prefix, maxWaiting: Number(process.env['MW'] ?? 40) });
  async function* inputs() { for (let i = 0; i < 3000; i++) yield { texts: [`text ${i}`], format: 'plain' as const }; }
  const t0 = Date.now();
  let n = 0;
  const timer = setInterval(() => console.log(Date.now() - t0, n, w.lines.slice(-1)[0]?.msg), 2000);
  for await (const o of mill.map('text.clean', inputs())) {
    n++;
    if (o.status !== 'succeeded') console.log(o.error.code, o.error.message);
    if (process.env['OUT'] && n === 500) { await redis.restart(); console.log('restarted'); }
    if (process.env['OUT'] && n === 1500) { await redis.kill('SIGKILL'); await redis.restart(); console.log('killed'); }
  }
  console.log('done', Date.now() - t0);
  clearInterval(timer);
  await mill.close(); await stopProcesses(); await redis.stop();
}, 100_000);

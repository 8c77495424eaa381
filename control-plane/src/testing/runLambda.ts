import { createHook } from 'node:async_hooks';

/*
 * A process that has loaded a Lambda function, as AWS does: events come as messages of the parent, and answers go back.
 * It says how long loading took; with `timers` also how many are left running, which a frozen function would not see end.
 * `node runLambda.ts index.mjs [timers]`
 */
const [path, watched] = process.argv.slice(2);
const timers = new Set<number>();
if (watched === 'timers') {
  createHook({
    init: (id, type) => type === 'Timeout' && timers.add(id),
    destroy: (id) => timers.delete(id),
  }).enable();
}
const since = performance.now();
const { handler } = await import(String(path));
process.send?.({ initMs: performance.now() - since, timers: timers.size });
process.on('message', async (event) => process.send?.(await handler(event, {})));

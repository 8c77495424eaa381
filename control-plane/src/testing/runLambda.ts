/*
 * A process that has loaded a Lambda function, as AWS does: events come as messages of the parent, and answers go back.
 * `node runLambda.ts index.mjs`
 */
const since = performance.now();
const { handler } = await import(String(process.argv[2]));
process.send?.({ initMs: performance.now() - since });
process.on('message', async (event) => process.send?.(await handler(event, {})));

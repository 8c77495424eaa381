/*
 * Sends what happens in a room to a webhook, each event once it was taken, in order.
 * ACCESS_TOKEN=.. node backend-client/examples/webhooks.ts http://127.0.0.1:3000 lobby https://example.com/hook
 */
import { setTimeout as delay } from 'node:timers/promises';
import { toJson } from '@bufbuild/protobuf';
import { RoomClient } from '@mediasoup-server/backend-client';
import { EventSchema } from '@mediasoup-server/proto/daemon';

const [controlPlaneUrl = '', roomId = '', webhook = ''] = process.argv.slice(2);
const { ACCESS_TOKEN } = process.env;
const rooms = new RoomClient({ controlPlaneUrl, ...(ACCESS_TOKEN && { accessToken: ACCESS_TOKEN }) });

/** Tries until it is taken; meanwhile the daemon remembers what follows. */
async function send(body: object): Promise<void> {
  for (let wait = 100; ; wait = Math.min(wait * 2, 30_000)) {
    try {
      const answer = await fetch(webhook, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.ok) return;
      console.error('the webhook answered', answer.status);
    } catch (error) {
      console.error('the webhook cannot be reached:', String(error));
    }
    await delay(wait);
  }
}

for await (const watched of rooms.watch(roomId)) {
  if (watched.is === 'event') await send(toJson(EventSchema, watched.event) as object);
  else await send({ missed: true, peers: (await rooms.peers(roomId)).map(({ peerId }) => peerId) });
}
rooms.close();

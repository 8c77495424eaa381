import { idSchema } from '@mediasoup-server/proto/ids';
import { z } from 'zod';

/** The parameters of the WebSocket's address. */
export const admission = z.object({
  roomId: idSchema,
  peerId: idSchema.meta({ description: 'Who connects: unique in the room, of the same form.' }),
  token: z.string().optional().meta({ description: 'What the control plane signed with the assignment.' }),
  sessionId: z
    .string()
    .optional()
    .meta({ description: 'The session to go on with, from the answer to an earlier `joinRoom`.' }),
});

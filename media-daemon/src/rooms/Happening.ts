import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EventSchema } from '@mediasoup-server/proto/daemon';

/** Something that happened, as watchers are told it. */
export type Happening = Extract<NonNullable<MessageInitShape<typeof EventSchema>['kind']>, { case: string }>;

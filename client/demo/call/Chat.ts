import { TypedEmitter } from '../../src/events.ts';
import type { Room } from '../../src/index.ts';
import { displayName } from './people.ts';

/** The longest message, in characters, that is sent or shown. */
export const LONGEST = 2000;
/** How many messages are kept at most. */
const MOST = 500;

export interface ChatMessage {
  readonly id: number;
  readonly name: string;
  readonly own: boolean;
  readonly at: Date;
  readonly text: string;
}

/** The text messages of the people in the room. People who join later do not get earlier messages. */
export class Chat extends TypedEmitter<{ changed: [] }> {
  readonly #room: Room;
  readonly #ownName: string;
  readonly #stop: () => void;
  #messages: readonly ChatMessage[] = [];
  #received = 0;

  constructor(room: Room, ownName: string) {
    super();
    this.#room = room;
    this.#ownName = ownName;
    this.#stop = room.on('dataReceived', (peerId, data) => {
      const text = readMessage(data);
      if (text === undefined) return;
      this.#received++;
      this.#add({ name: displayName(room.peers.get(peerId)), own: false, text });
    });
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** The number of received messages. */
  get received(): number {
    return this.#received;
  }

  /** @throws RoomError if the message is too long or too many wait */
  send(text: string): void {
    this.#room.send(JSON.stringify({ chat: text }));
    this.#add({ name: this.#ownName, own: true, text });
  }

  close(): void {
    this.#stop();
  }

  #add(message: Pick<ChatMessage, 'name' | 'own' | 'text'>): void {
    const id = (this.#messages.at(-1)?.id ?? 0) + 1;
    this.#messages = [...this.#messages, { ...message, id, at: new Date() }].slice(-MOST);
    this.emit('changed');
  }
}

/** The text of a chat message; undefined for any other message. */
export function readMessage(data: unknown): string | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const { chat } = Object(JSON.parse(data)) as { chat?: unknown };
    return typeof chat === 'string' && chat.trim() !== '' ? chat.slice(0, LONGEST) : undefined;
  } catch {
    return undefined;
  }
}

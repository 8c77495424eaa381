import { TypedEmitter } from '../events.ts';
import type { Attachments } from '../recovery/Attachments.ts';
import type { Session } from '../session/Session.ts';

export interface RoomPeersEvents {
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerUpdated: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  activeSpeakerChanged: [peerId: string | undefined];
  audioLevelsChanged: [levels: ReadonlyMap<string, number>];
}

/** The other peers of the room and who speaks, merged from all sessions that this peer has while it moves. */
export class RoomPeers extends TypedEmitter<RoomPeersEvents> {
  readonly #attachments: Attachments;
  readonly #appData = new Map<string, Record<string, unknown>>();
  #activeSpeaker: string | undefined;
  #audioLevels: ReadonlyMap<string, number> = new Map();

  constructor(attachments: Attachments) {
    super();
    this.#attachments = attachments;
  }

  /** Each peer's `appData`. */
  get appData(): ReadonlyMap<string, Record<string, unknown>> {
    return this.#appData;
  }

  get activeSpeaker(): string | undefined {
    return this.#activeSpeaker;
  }

  get audioLevels(): ReadonlyMap<string, number> {
    return this.#audioLevels;
  }

  attach({ roster }: Session): void {
    roster.on('peerJoined', (peerId, appData) => this.#set(peerId, appData));
    roster.on('peerUpdated', (peerId, appData) => this.#set(peerId, appData));
    roster.on('peerLeft', () => this.removeLeft());
    roster.on('speakersChanged', () => this.updateSpeakers());
  }

  /** Adds the peers that were there before this one. */
  addAll({ roster }: Session): void {
    for (const [peerId, appData] of roster.peers) this.#set(peerId, appData);
  }

  /** Whether a session has all peers that are known. */
  areAllAt({ roster }: Session): boolean {
    return [...this.#appData.keys()].every((peerId) => roster.peers.has(peerId));
  }

  /** Removes the peers that left, unless they may be on their way from the daemon that this one moved from. */
  removeLeft(): void {
    const { current, moving } = this.#attachments;
    if (!current || moving) return;
    for (const peerId of [...this.#appData.keys()]) {
      if (current.roster.peers.has(peerId)) continue;
      this.#appData.delete(peerId);
      this.emit('peerLeft', peerId);
    }
  }

  /** While the room moves, a daemon knows only the speakers that it has; of a peer that two have, the new one counts. */
  updateSpeakers(): void {
    const rosters = this.#attachments.all.map(({ roster }) => roster);
    const speaker = rosters.find(({ activeSpeaker }) => activeSpeaker !== undefined)?.activeSpeaker;
    if (speaker !== this.#activeSpeaker) {
      this.#activeSpeaker = speaker;
      this.emit('activeSpeakerChanged', speaker);
    }
    const levels = new Map(rosters.toReversed().flatMap(({ audioLevels }) => [...audioLevels]));
    if (JSON.stringify([...levels]) === JSON.stringify([...this.#audioLevels])) return;
    this.#audioLevels = levels;
    this.emit('audioLevelsChanged', levels);
  }

  #set(peerId: string, appData: Record<string, unknown>): void {
    const known = this.#appData.get(peerId);
    this.#appData.set(peerId, appData);
    if (!known) this.emit('peerJoined', peerId, appData);
    else if (JSON.stringify(known) !== JSON.stringify(appData)) this.emit('peerUpdated', peerId, appData);
    this.#attachments.reevaluate();
  }
}

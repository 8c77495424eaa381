import { useEffect, useRef, useState } from 'preact/hooks';
import { RoomError } from '../../src/index.ts';
import { Icon } from '../Icon.tsx';
import { useChanges } from '../useChanges.ts';
import { roomWords } from '../words/roomWords.ts';
import { type Chat, LONGEST } from './Chat.ts';
import { Panel } from './Panel.tsx';

export function ChatPanel({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  useChanges(chat);
  const [text, setText] = useState('');
  const [failure, setFailure] = useState<string>();
  const list = useRef<HTMLOListElement>(null);
  const { messages } = chat;
  useEffect(() => list.current?.lastElementChild?.scrollIntoView({ block: 'nearest' }), [messages.length]);

  const send = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    try {
      chat.send(text.trim());
      setText('');
      setFailure(undefined);
    } catch (error) {
      setFailure(`Not sent: ${roomWords(RoomError.from(error)).title}. Try again in a moment.`);
    }
  };
  return (
    <Panel title="Chat" name="chat" onClose={onClose}>
      <div class="chat">
        <div class="chat-log" role="log" aria-label="Messages">
          {messages.length === 0 && (
            <p class="empty">
              <Icon name="chat" />
              Nothing was written yet. Whoever is here now reads it; nobody keeps it.
            </p>
          )}
          <ol ref={list}>
            {messages.map(({ id, name, own, at, text: words }) => (
              <li key={id} class={own ? 'own' : ''} data-testid="message">
                <span class="chat-from">
                  {own ? 'You' : name}
                  <time dateTime={at.toISOString()}>{at.toLocaleTimeString([], { timeStyle: 'short' })}</time>
                </span>
                <p class="chat-words">{words}</p>
              </li>
            ))}
          </ol>
        </div>
        <form onSubmit={send}>
          {failure && (
            <p class="failure" role="alert">
              {failure}
            </p>
          )}
          <input
            name="message"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            maxLength={LONGEST}
            autocomplete="off"
            placeholder="Write to everybody"
            aria-label="Write to everybody"
          />
          <button type="submit" class="primary icon-only" aria-label="Send">
            <Icon name="send" />
          </button>
        </form>
      </div>
    </Panel>
  );
}

// A peer that asks for an assignment, joins with both transports, and leaves when it is told to move. For prove.sh.

const answer = await fetch('http://127.0.0.1:3000/rooms/lobby/assignments', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ peerId: 'peer' }),
});
const { url } = await answer.json();
const socket = new WebSocket(url, 'protoo');
const say = (text) => process.stdout.write(`${text}\n`);
socket.addEventListener('open', () => {
  const data = { roomId: 'lobby', peerId: 'peer', transports: ['send', 'recv'] };
  socket.send(JSON.stringify({ request: true, id: 1, method: 'joinRoom', data }));
});
socket.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data);
  if (message.response) {
    if (!message.ok) throw new Error(data);
    say(`joined with ${Object.keys(message.data.transports).length} transports`);
  }
  if (message.method !== 'reconnect') return;
  say(`${message.method}, reason ${message.data.reason}`);
  socket.close(1000);
});

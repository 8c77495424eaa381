/** The tests of the signaling once more, with each room on two workers: nothing that a client sees depends on that. */
process.env.SPREAD = 'true';
for (const file of ['rooms/rooms', 'signaling/signaling', 'signaling/session', 'signaling/requests', 'signaling/order'])
  await import(`../${file}.test.ts`);

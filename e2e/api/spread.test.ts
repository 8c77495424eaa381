/** The tests of media and of its loss once more, with each room on two workers: nothing that a client sees depends on that. */
process.env.SPREAD = 'true';
for (const file of ['media', 'loss']) await import(`./${file}.test.ts`);

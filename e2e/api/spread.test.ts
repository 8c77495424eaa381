/** Runs the tests of media and of packet loss again with each room on two workers: clients see no difference. */
process.env.SPREAD = 'true';
for (const file of ['./media.test.ts', '../failure/loss.test.ts']) await import(file);

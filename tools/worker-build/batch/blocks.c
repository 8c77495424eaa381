#include "blocks.h"

#include <string.h>

static struct block memory[BLOCKS];
// Blocks that have been used are taken before others, because the CPU's cache has them.
static struct block *released;
static unsigned touched, taken;

unsigned blocks_needed(size_t length) {
	return (unsigned)((length + BLOCK_BYTES - 1) / BLOCK_BYTES);
}

unsigned blocks_free(void) {
	return BLOCKS - taken;
}

static struct block *take_one(void) {
	struct block *block = released;
	if (block) released = block->rest;
	else block = &memory[touched++];
	taken++;
	return block;
}

struct block *blocks_take(const char *bytes, size_t length) {
	struct block *first = NULL;
	struct block **place = &first;
	for (size_t copied = 0; copied < length;) {
		struct block *block = take_one();
		size_t part = length - copied < BLOCK_BYTES ? length - copied : BLOCK_BYTES;
		memcpy(block->bytes, bytes + copied, part);
		copied += part;
		*place = block;
		place = &block->rest;
	}
	*place = NULL;
	first->next = NULL;
	first->length = (unsigned)length;
	link_clear(&first->by_age);
	return first;
}

void blocks_release(struct block *datagram) {
	while (datagram) {
		struct block *rest = datagram->rest;
		datagram->rest = released;
		released = datagram;
		taken--;
		datagram = rest;
	}
}

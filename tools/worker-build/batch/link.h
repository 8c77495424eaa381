// A circular doubly linked list whose links lie inside its members, so that it needs no memory of its own.
#ifndef BATCH_LINK_H
#define BATCH_LINK_H

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *next, *previous;
};

// The member that contains this link.
#define MEMBER(type, field, link) ((type *)((char *)(link) - offsetof(type, field)))

static inline void link_clear(struct link *list) {
	list->next = list->previous = list;
}

static inline bool link_is_empty(const struct link *list) {
	return list->next == list;
}

static inline void link_append(struct link *list, struct link *member) {
	member->previous = list->previous;
	member->next = list;
	list->previous->next = member;
	list->previous = member;
}

// Removes a member from its list. Removing it again does nothing.
static inline void link_remove(struct link *member) {
	member->previous->next = member->next;
	member->next->previous = member->previous;
	link_clear(member);
}

#endif

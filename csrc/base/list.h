/* A doubly linked list whose links live inside the elements: no allocation, removal in constant time. The list head is
 * a link itself, so an empty list points at itself and no operation has a special case. A link that is in no list
 * points at itself too. */
#ifndef HD_LIST_H
#define HD_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hd_list {
  struct hd_list *next;
  struct hd_list *previous;
} hd_list;

/* The struct of type `type` whose member `member` is at `link`. */
#define HD_CONTAINER_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks a list; the body may remove the current element. */
#define HD_LIST_EACH(link, list)                                                     \
  for (hd_list *link = (list)->next, *link##_following = link->next; link != (list); \
       link = link##_following, link##_following = link->next)

static inline void hd_list_init(hd_list *list) {
  list->next = list->previous = list;
}

static inline bool hd_list_is_empty(const hd_list *list) {
  return list->next == list;
}

static inline void hd_list_insert_after(hd_list *position, hd_list *link) {
  link->previous = position;
  link->next = position->next;
  position->next->previous = link;
  position->next = link;
}

static inline void hd_list_push_front(hd_list *list, hd_list *link) {
  hd_list_insert_after(list, link);
}

static inline void hd_list_push_back(hd_list *list, hd_list *link) {
  hd_list_insert_after(list->previous, link);
}

/* Leaves `link` pointing at itself, so removing twice is harmless. */
static inline void hd_list_remove(hd_list *link) {
  link->previous->next = link->next;
  link->next->previous = link->previous;
  hd_list_init(link);
}

static inline hd_list *hd_list_first(const hd_list *list) {
  return hd_list_is_empty(list) ? NULL : list->next;
}

static inline hd_list *hd_list_last(const hd_list *list) {
  return hd_list_is_empty(list) ? NULL : list->previous;
}

#endif

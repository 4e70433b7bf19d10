#include "base/list.h"

#include "test.h"

typedef struct element {
  int number;
  hd_list link;
} element;

static int number_of(const hd_list *link) {
  return HD_CONTAINER_OF((hd_list *)(uintptr_t)link, element, link)->number;
}

/* The numbers as decimal digits, read once forwards and checked backwards. */
static int digits_of(hd_list *list) {
  int forwards = 0, backwards = 0, weight = 1;
  for (const hd_list *link = list->next; link != list; link = link->next) forwards = forwards * 10 + number_of(link);
  for (const hd_list *link = list->previous; link != list; link = link->previous, weight *= 10) {
    backwards += number_of(link) * weight;
  }
  CHECK_INT(forwards, backwards);
  return forwards;
}

static void fill(hd_list *list, element *elements, int count) {
  hd_list_init(list);
  for (int i = 0; i < count; i++) {
    elements[i].number = i + 1;
    hd_list_push_back(list, &elements[i].link);
  }
}

TEST(a_new_list_is_empty) {
  hd_list list;
  hd_list_init(&list);
  CHECK(hd_list_is_empty(&list));
  CHECK(hd_list_first(&list) == NULL);
  CHECK(hd_list_last(&list) == NULL);
}

TEST(elements_are_pushed_at_both_ends_and_inserted_between) {
  hd_list list;
  element elements[3];
  fill(&list, elements, 3);
  CHECK_INT(123, digits_of(&list));

  element four = {.number = 4}, five = {.number = 5};
  hd_list_push_front(&list, &four.link);
  hd_list_insert_after(&elements[0].link, &five.link);
  CHECK_INT(41523, digits_of(&list));
  CHECK_INT(4, number_of(hd_list_first(&list)));
  CHECK_INT(3, number_of(hd_list_last(&list)));
}

TEST(any_element_can_be_removed_and_removing_twice_is_harmless) {
  for (int i = 0; i < 3; i++) {
    hd_list list;
    element elements[3];
    fill(&list, elements, 3);
    hd_list_remove(&elements[i].link);
    hd_list_remove(&elements[i].link);
    CHECK(hd_list_is_empty(&elements[i].link));
    CHECK_INT(i == 0 ? 23 : i == 1 ? 13 : 12, digits_of(&list));
  }
}

TEST(a_removed_element_can_enter_another_list) {
  hd_list list, other;
  element elements[2];
  fill(&list, elements, 2);
  hd_list_init(&other);
  hd_list_remove(&elements[0].link);
  hd_list_push_back(&other, &elements[0].link);
  CHECK_INT(2, digits_of(&list));
  CHECK_INT(1, digits_of(&other));
}

TEST(a_walk_may_remove_the_current_element) {
  hd_list list;
  element elements[4];
  fill(&list, elements, 4);
  int seen = 0;
  HD_LIST_EACH(link, &list) {
    seen = seen * 10 + number_of(link);
    if (number_of(link) != 2) hd_list_remove(link);
  }
  CHECK_INT(1234, seen);
  CHECK_INT(2, digits_of(&list));
}

TEST(a_walk_over_an_empty_list_does_nothing) {
  hd_list list;
  hd_list_init(&list);
  HD_LIST_EACH(link, &list) CHECK(link == NULL);
}

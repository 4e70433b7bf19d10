#include "base/assertion.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* In a child, so that the test outlives it; what it prints is caught. */
static int status_of_failed_assertion(char *printed, size_t capacity) {
  int channel[2];
  if (pipe(channel) != 0) return 0;
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);
    dup2(channel[1], STDERR_FILENO);
    hd_assertion_failed("count > 0", "somewhere.c", 7);
  }
  close(channel[1]);
  const ssize_t size = read(channel[0], printed, capacity - 1);
  printed[size > 0 ? size : 0] = '\0';
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(a_failed_assertion_names_its_place_and_aborts) {
  char printed[256];
  const int status = status_of_failed_assertion(printed, sizeof printed);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK_TEXT("somewhere.c:7: assertion failed: count > 0\n", printed);
}

TEST(an_assertion_that_holds_does_nothing) {
  const int one = 1;
  hd_assert(one == 1);
  hd_assert_implies(one == 1, one > 0);
  hd_assert_implies(one == 2, one > 1);
}

// libuv, for the C core's driver and for the loop that Swift runs on.
#ifndef CLIBUV_SHIM_H
#define CLIBUV_SHIM_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* A thread in a form that Swift sees alike on every system: pthread_t is a number on some and a pointer on others. */
typedef struct hd_uv_thread {
  uv_thread_t thread;
} hd_uv_thread;

/* Starts a thread that calls run(argument). 0, or a negative error of libuv. */
static inline int hd_uv_thread_start(hd_uv_thread *thread, void (*run)(void *argument), void *argument) {
  return uv_thread_create(&thread->thread, run, argument);
}

/* Waits for a thread's end. Once per thread. */
static inline int hd_uv_thread_join(hd_uv_thread *thread) {
  return uv_thread_join(&thread->thread);
}

/* Gets the calling thread ready to run a loop: gives it a name, and keeps from it the signal by which writing to a connection that
 * the peer has cut would end the process. The error that comes with it is enough. */
static inline void hd_uv_thread_prepare(const char *name) {
#ifdef __linux__
  (void)prctl(PR_SET_NAME, name, 0, 0, 0);
#elif defined(__APPLE__)
  (void)pthread_setname_np(name);
#endif
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* A number that no other thread has while this one runs; never 0. */
static inline uintptr_t hd_uv_thread_current(void) {
  return (uintptr_t)uv_thread_self();
}

/* Lets other sockets bind the port of this one, which has a socket but is not bound yet. 0, or a negative error of libuv. */
static inline int hd_uv_share_port(const uv_tcp_t *handle) {
  uv_os_fd_t socket;
  const int status = uv_fileno((const uv_handle_t *)handle, &socket);
  if (status != 0) return status;
  const int on = 1;
  return setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 ? 0 : uv_translate_sys_error(errno);
}

#endif

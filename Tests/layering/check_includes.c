/* Reads the #include lines of csrc, include, Tests/sim and Sources and fails on one that the architecture forbids:
 *
 * - an arrow of csrc that does not point down (`folders`);
 * - a header of the system that its folder has no business with (`system_headers`): below the sans-I/O boundary nothing
 *   opens a socket, reads a clock, starts a thread or calls malloc;
 * - a public header that needs more than other public headers, or that the umbrella <hdht/hdht.h> forgets;
 * - anything outside csrc that reaches into it, the simulator and the tests excepted.
 *
 *   hdht_check_includes <root of the project> */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

/* From the bottom up: a folder names only folders above its own line. What it may include is those, whatever those
 * may include, and itself. `never` repeats what must not follow from that by a careless change of this table. */
typedef struct folder {
  const char *name;
  const char *may_include;
  const char *never;
} folder;

static const folder folders[] = {
    {"base", "", ""},
    {"codec", "base", "crypto"},
    {"crypto", "base", "codec"},
    {"noise", "crypto base", "codec mux udx"},
    {"mux", "codec", "secretstream crypto"},
    {"secretstream", "noise crypto codec", "udx rpc mux"},
    {"udx", "base", "codec rpc crypto"},
    {"table", "base", "rpc"},
    {"nat", "base", "rpc"},
    {"messages", "codec crypto", "rpc udx"},
    {"rpc", "messages codec crypto nat", "table query udx"},
    {"query", "rpc table", "storage connect"},
    {"storage", "base messages crypto", "rpc"},
    {"announce", "query rpc messages storage", "connect router"},
    {"router", "query rpc messages storage", "connect announce"},
    {"holepunch", "nat rpc messages crypto", "connect driver_uv"},
    {"connect", "holepunch router query secretstream udx", "driver_uv"},
    {"node", "connect announce mux", "driver_uv api"},
    {"driver_uv", "node", "api"},
    {"api", "node driver_uv secretstream mux", ""},
};

#define FOLDERS_COUNT (sizeof folders / sizeof folders[0])

/* Who may include a header of the system: folders of csrc, single files of it, or "sim". */
typedef struct system_header {
  const char *name;
  const char *allowed;
} system_header;

static const system_header system_headers[] = {
    /* These compute and nothing else. */
    {"float.h", "*"},
    {"inttypes.h", "*"},
    {"limits.h", "*"},
    {"math.h", "*"},
    {"stdalign.h", "*"},
    {"stdarg.h", "*"},
    {"stdbool.h", "*"},
    {"stddef.h", "*"},
    {"stdint.h", "*"},
    {"string.h", "*"},
    /* One folder each: another event loop or another crypto library would replace just that. */
    {"uv.h", "driver_uv api"},
    {"sodium.h", "crypto"},
    /* Memory comes from the allocator hook, and a core prints nothing: stdio is for snprintf and failed assertions. */
    {"stdlib.h", "base/allocator.c base/assertion.c driver_uv api sim"},
    {"stdio.h", "base driver_uv api sim"},
    /* Text of addresses. */
    {"arpa/inet.h", "base/address_text.c driver_uv"},
    /* The crypto library is initialised once per process, whichever thread comes first. */
    {"stdatomic.h", "crypto/backend.c driver_uv"},
    /* The one place that asks the operating system for random bytes. */
    {"sys/random.h", "crypto/entropy.c"},
    {"unistd.h", "crypto/entropy.c driver_uv"},
    {"errno.h", "crypto/entropy.c driver_uv sim"},
};

/* Files below this folder may include any other header of the system: they are the boundary. */
#define SYSTEM_FOLDER "driver_uv"

static bool list_contains(const char *list, const char *word) {
  const size_t length = strlen(word);
  for (const char *found = strstr(list, word); found != NULL; found = strstr(found + 1, word)) {
    const bool starts = found == list || found[-1] == ' ';
    if (starts && (found[length] == ' ' || found[length] == '\0')) return true;
  }
  return false;
}

static const folder *find_folder(const char *name) {
  for (size_t i = 0; i < FOLDERS_COUNT; i++) {
    if (strcmp(folders[i].name, name) == 0) return &folders[i];
  }
  return NULL;
}

static bool may_include(const folder *from, const char *to) {
  if (strcmp(from->name, to) == 0 || list_contains(from->may_include, to)) return true;
  for (const folder *below = folders; below < from; below++) {
    if (list_contains(from->may_include, below->name) && may_include(below, to)) return true;
  }
  return false;
}

/* The table itself: arrows point to lines above, and nothing forbidden follows. */
static void check_table(void) {
  for (size_t i = 0; i < FOLDERS_COUNT; i++) {
    for (size_t j = 0; j < FOLDERS_COUNT; j++) {
      if (j >= i && list_contains(folders[i].may_include, folders[j].name)) {
        tree_complain(__FILE__, 0, "%s may include %s, which is not below it", folders[i].name, folders[j].name);
      }
      if (list_contains(folders[i].never, folders[j].name) && may_include(&folders[i], folders[j].name)) {
        tree_complain(__FILE__, 0, "%s must never see %s, but may include it", folders[i].name, folders[j].name);
      }
    }
  }
}

/* The first folder of "base/ring.h"; empty if there is none. */
static void first_component(char name[TREE_PATH_SIZE], const char *path) {
  const size_t length = strcspn(path, "/");
  name[0] = '\0';
  if (path[length] == '/' && length < TREE_PATH_SIZE) snprintf(name, TREE_PATH_SIZE, "%.*s", (int)length, path);
}

typedef enum include_form { INCLUDE_NONE, INCLUDE_QUOTED, INCLUDE_ANGLED, INCLUDE_OTHER } include_form;

/* What kind of include `line` is, and of what. */
static include_form parse_include(const char *line, char name[TREE_PATH_SIZE]) {
  name[0] = '\0';
  line += strspn(line, " \t");
  if (*line++ != '#') return INCLUDE_NONE;
  line += strspn(line, " \t");
  if (strncmp(line, "include", 7) != 0 && strncmp(line, "import", 6) != 0) return INCLUDE_NONE;
  if (strncmp(line, "include", 7) != 0 || strchr(" \t\"<", line[7]) == NULL) return INCLUDE_OTHER;
  line += 7;
  line += strspn(line, " \t");
  if (*line != '"' && *line != '<') return INCLUDE_OTHER;

  const char closing = *line == '"' ? '"' : '>';
  const char *end = strchr(line + 1, closing);
  if (end == NULL || end - line > TREE_PATH_SIZE - 1) return INCLUDE_OTHER;
  snprintf(name, TREE_PATH_SIZE, "%.*s", (int)(end - line - 1), line + 1);
  return closing == '"' ? INCLUDE_QUOTED : INCLUDE_ANGLED;
}

/* `who` is a folder of csrc or "sim", `file` its path below csrc. */
static void check_system_header(const char *path, unsigned line_number, const char *who, const char *file,
                                const char *header) {
  for (size_t i = 0; i < sizeof system_headers / sizeof system_headers[0]; i++) {
    const system_header *known = &system_headers[i];
    if (strcmp(known->name, header) != 0) continue;
    if (strcmp(known->allowed, "*") == 0 || list_contains(known->allowed, who)) return;
    if (list_contains(known->allowed, file)) return;
    tree_complain(path, line_number, "%s may not include <%s>; that is for: %s", who, header, known->allowed);
    return;
  }
  if (strcmp(who, SYSTEM_FOLDER) == 0) return;
  tree_complain(path, line_number, "%s may not include <%s>: only " SYSTEM_FOLDER " reaches for the system", who,
                header);
}

/* Public declarations have no arrows of their own, so everyone may use them. */
static void check_public_header(const char *path, unsigned line_number, const char *header) {
  char found[TREE_PATH_SIZE + 8];
  snprintf(found, sizeof found, "include/%s", header);
  if (!tree_has_file(found)) tree_complain(path, line_number, "there is no <%s>", header);
}

static bool is_public(const char *header) {
  return strncmp(header, "hdht/", 5) == 0;
}

static void check_core_line(const char *path, unsigned line_number, const char *line) {
  char name[TREE_PATH_SIZE], from[TREE_PATH_SIZE], to[TREE_PATH_SIZE], found[TREE_PATH_SIZE + 8];
  const include_form form = parse_include(line, name);
  if (form == INCLUDE_NONE) return;
  const char *file = path + strlen("csrc/");
  first_component(from, file);
  first_component(to, name);
  const folder *from_folder = find_folder(from);
  if (from_folder == NULL) return; /* check_core_file says so */

  switch (form) {
    case INCLUDE_NONE: break;
    case INCLUDE_OTHER: tree_complain(path, line_number, "include a file by its name"); break;
    case INCLUDE_ANGLED:
      if (is_public(name)) {
        check_public_header(path, line_number, name);
      } else {
        check_system_header(path, line_number, from, file, name);
      }
      break;
    case INCLUDE_QUOTED:
      snprintf(found, sizeof found, "csrc/%s", name);
      if (find_folder(to) == NULL) {
        tree_complain(path, line_number, "\"%s\" does not name a folder of csrc", name);
      } else if (!tree_has_file(found) || !tree_has_suffix(name, ".h")) {
        tree_complain(path, line_number, "there is no header \"%s\"", name);
      } else if (!may_include(from_folder, to)) {
        tree_complain(path, line_number, "%s may not include \"%s\": %s is not below it", from, name, to);
      }
      break;
  }
}

static void check_core_file(const char *path) {
  char name[TREE_PATH_SIZE];
  const char *file = path + strlen("csrc/");
  first_component(name, file);
  if (find_folder(name) == NULL) {
    tree_complain(path, 0, "its folder has no line in the table of check_includes.c");
  } else if (strchr(file + strlen(name) + 1, '/') != NULL) {
    tree_complain(path, 0, "folders of csrc have no folders in them");
  }
  tree_each_line(path, check_core_line);
}

/* The simulator is a driver: it may use the whole core, its own files, and no system but the C library. */
static void check_sim_line(const char *path, unsigned line_number, const char *line) {
  char name[TREE_PATH_SIZE], to[TREE_PATH_SIZE], found[TREE_PATH_SIZE + 16];
  const include_form form = parse_include(line, name);
  if (form == INCLUDE_ANGLED && is_public(name)) check_public_header(path, line_number, name);
  if (form == INCLUDE_ANGLED && !is_public(name)) check_system_header(path, line_number, "sim", "", name);
  if (form == INCLUDE_OTHER) tree_complain(path, line_number, "include a file by its name");
  if (form != INCLUDE_QUOTED) return;

  first_component(to, name);
  snprintf(found, sizeof found, to[0] == '\0' ? "Tests/sim/%s" : "csrc/%s", name);
  if (!tree_has_file(found)) {
    tree_complain(path, line_number, "there is no header \"%s\"", name);
  } else if (to[0] != '\0' && !may_include(find_folder("node"), to)) {
    tree_complain(path, line_number, "the simulator may not include \"%s\": %s is not part of the core", name, to);
  }
}

static void check_sim_file(const char *path) {
  if (tree_has_suffix(path, ".c") || tree_has_suffix(path, ".h")) tree_each_line(path, check_sim_line);
}

static void check_public_line(const char *path, unsigned line_number, const char *line) {
  char name[TREE_PATH_SIZE];
  const include_form form = parse_include(line, name);
  if (form == INCLUDE_NONE) return;
  if (form == INCLUDE_ANGLED && is_public(name)) {
    check_public_header(path, line_number, name);
  } else if (form != INCLUDE_ANGLED || (strcmp(name, "stddef.h") != 0 && strcmp(name, "stdint.h") != 0)) {
    tree_complain(path, line_number, "a public header includes <hdht/...>, <stddef.h> and <stdint.h> only");
  }
}

static const char *wanted_by_umbrella;
static bool umbrella_has_it;

static void look_in_umbrella(const char *path, unsigned line_number, const char *line) {
  (void)path, (void)line_number;
  char name[TREE_PATH_SIZE];
  if (parse_include(line, name) == INCLUDE_ANGLED && strcmp(tree_name(name), wanted_by_umbrella) == 0) {
    umbrella_has_it = true;
  }
}

static void check_public_file(const char *path) {
  if (!tree_has_suffix(path, ".h")) return;
  tree_each_line(path, check_public_line);

  wanted_by_umbrella = tree_name(path);
  umbrella_has_it = strcmp(wanted_by_umbrella, "hdht.h") == 0;
  tree_each_line("include/hdht/hdht.h", look_in_umbrella);
  if (!umbrella_has_it) tree_complain(path, 0, "<hdht/hdht.h> does not include it");
}

/* Swift's C shims and the examples use what a user can use. */
static void check_user_line(const char *path, unsigned line_number, const char *line) {
  char name[TREE_PATH_SIZE], to[TREE_PATH_SIZE];
  const include_form form = parse_include(line, name);
  first_component(to, name);
  if (form == INCLUDE_ANGLED && is_public(name)) {
    check_public_header(path, line_number, name);
  } else if (form != INCLUDE_NONE && (find_folder(to) != NULL || strstr(name, "csrc/") != NULL)) {
    tree_complain(path, line_number, "\"%s\" is internal: use include/hdht", name);
  }
}

static void check_user_file(const char *path) {
  if (tree_has_suffix(path, ".c") || tree_has_suffix(path, ".h")) tree_each_line(path, check_user_line);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s <root of the project>\n", argv[0]);
    return 2;
  }
  tree_set_root(argv[1]);
  check_table();
  tree_each_file("csrc", check_core_file);
  tree_each_file("include", check_public_file);
  tree_each_file("Tests/sim", check_sim_file);
  tree_each_file("Sources", check_user_file);
  return tree_finish();
}

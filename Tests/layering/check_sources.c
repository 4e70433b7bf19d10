/* Fails when the two builds would compile different C files, or when a rule that keeps them equal is broken:
 *
 * - CMake takes exactly the .c files of csrc (given as a list with one path per line);
 * - Package.swift roots its C target at "." and takes all of csrc, with nothing excluded;
 * - csrc holds .c and .h files only, because SwiftPM takes every file there for a source;
 * - no two files of csrc have one name, so a stack trace is never ambiguous.
 *
 *   hdht_check_sources <root of the project> <list of CMake's sources> */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

#define FILES_LIMIT 2048

static char found[FILES_LIMIT][TREE_PATH_SIZE]; /* files of csrc */
static bool is_listed[FILES_LIMIT];
static size_t found_count;

static void check_name(const char *path) {
  for (size_t i = 0; i < found_count; i++) {
    if (strcmp(tree_name(found[i]), tree_name(path)) == 0) tree_complain(path, 0, "has the name of %s", found[i]);
  }
}

static void find_file(const char *path) {
  if (!tree_has_suffix(path, ".c") && !tree_has_suffix(path, ".h")) {
    tree_complain(path, 0, "csrc holds .c and .h files only");
    return;
  }
  check_name(path);
  if (found_count == FILES_LIMIT) {
    tree_complain(path, 0, "there are more files than FILES_LIMIT");
    return;
  }
  snprintf(found[found_count++], TREE_PATH_SIZE, "%s", path);
}

static void mark_listed(const char *path) {
  for (size_t i = 0; i < found_count; i++) {
    if (strcmp(found[i], path) != 0) continue;
    if (is_listed[i]) tree_complain(path, 0, "is listed twice by CMake");
    is_listed[i] = true;
    return;
  }
  tree_complain(path, 0, "is listed by CMake and does not exist in csrc");
}

static void compare_with_cmake(const char *list_path) {
  FILE *list = fopen(list_path, "r");
  if (list == NULL) {
    tree_complain(list_path, 0, "cannot be read");
    return;
  }
  char line[TREE_PATH_SIZE];
  while (fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] != '\0') mark_listed(line);
  }
  fclose(list);
  for (size_t i = 0; i < found_count; i++) {
    if (tree_has_suffix(found[i], ".c") && !is_listed[i]) tree_complain(found[i], 0, "is not built by CMake");
  }
}

/* The manifest without white space and comments. */
static char manifest[65536];
static size_t manifest_size;

static void append_to_manifest(const char *path, unsigned line_number, const char *line) {
  (void)path, (void)line_number;
  for (; *line != '\0' && strncmp(line, "//", 2) != 0; line++) {
    if (!isspace((unsigned char)*line) && manifest_size + 1 < sizeof manifest) manifest[manifest_size++] = *line;
  }
}

static void check_manifest(void) {
  tree_each_line("Package.swift", append_to_manifest);
  char *target = strstr(manifest, ".target(name:\"CHyperDHT\"");
  if (target == NULL) {
    tree_complain("Package.swift", 0, "has no C target named CHyperDHT");
    return;
  }
  char *next = strstr(target + strlen(".target"), "arget(name:");
  if (next != NULL) *next = '\0';
  if (strstr(target, "path:\".\"") == NULL || strstr(target, "sources:[\"csrc\"]") == NULL) {
    tree_complain("Package.swift", 0, "CHyperDHT does not take all of csrc (path: \".\", sources: [\"csrc\"])");
  }
  if (strstr(target, "exclude:") != NULL) tree_complain("Package.swift", 0, "CHyperDHT excludes files");
  if (strstr(target, "publicHeadersPath:\"include\"") == NULL) {
    tree_complain("Package.swift", 0, "the public headers of CHyperDHT are not those of include");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s <root of the project> <list of sources>\n", argv[0]);
    return 2;
  }
  tree_set_root(argv[1]);
  tree_each_file("csrc", find_file);
  compare_with_cmake(argv[2]);
  check_manifest();
  return tree_finish();
}

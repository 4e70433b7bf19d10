#include "tree.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root = ".";
static unsigned files_count, complaints_count;

void tree_set_root(const char *folder) {
  root = folder;
}

static void full_path(char full[TREE_PATH_SIZE], const char *path) {
  const int length = snprintf(full, TREE_PATH_SIZE, "%s/%s", root, path);
  if (length < 0 || length >= TREE_PATH_SIZE) tree_complain(path, 0, "the path is too long");
}

static bool is_folder(const char *path) {
  char full[TREE_PATH_SIZE];
  struct stat status;
  full_path(full, path);
  return stat(full, &status) == 0 && S_ISDIR(status.st_mode);
}

bool tree_has_file(const char *path) {
  char full[TREE_PATH_SIZE];
  struct stat status;
  full_path(full, path);
  return stat(full, &status) == 0 && S_ISREG(status.st_mode);
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

void tree_each_file(const char *folder, tree_visit_file *visit) {
  char full[TREE_PATH_SIZE];
  full_path(full, folder);
  struct dirent **entries;
  const int count = scandir(full, &entries, is_visible, alphasort);
  for (int i = 0; i < count; i++) {
    char path[TREE_PATH_SIZE];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    free(entries[i]);
    if (length < 0 || length >= TREE_PATH_SIZE) {
      tree_complain(folder, 0, "a path below is too long");
    } else if (is_folder(path)) {
      tree_each_file(path, visit);
    } else {
      files_count++;
      visit(path);
    }
  }
  if (count >= 0) free(entries);
}

void tree_each_line(const char *path, tree_visit_line *visit) {
  char full[TREE_PATH_SIZE];
  full_path(full, path);
  FILE *file = fopen(full, "r");
  if (file == NULL) {
    tree_complain(path, 0, "cannot be read");
    return;
  }
  char *line = NULL;
  size_t capacity = 0;
  for (unsigned number = 1; getline(&line, &capacity, file) >= 0; number++) {
    line[strcspn(line, "\r\n")] = '\0';
    visit(path, number, line);
  }
  free(line);
  fclose(file);
}

const char *tree_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

bool tree_has_suffix(const char *text, const char *suffix) {
  const size_t length = strlen(text), suffix_length = strlen(suffix);
  return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

void tree_complain(const char *path, unsigned line_number, const char *format, ...) {
  complaints_count++;
  if (line_number > 0) {
    fprintf(stderr, "%s:%u: ", path, line_number);
  } else {
    fprintf(stderr, "%s: ", path);
  }
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

int tree_finish(void) {
  if (files_count == 0) fputs("no files found\n", stderr);
  printf("%u files, %u complaints\n", files_count, complaints_count);
  return files_count > 0 && complaints_count == 0 ? 0 : 1;
}

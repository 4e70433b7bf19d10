/* What the checks of this folder need to read a source tree: its files in a fixed order, their lines, and a count of
 * what is wrong with them. */
#ifndef HD_LAYERING_TREE_H
#define HD_LAYERING_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* Long enough for any path of this project. */
#define TREE_PATH_SIZE 1024

typedef void tree_visit_file(const char *path);
typedef void tree_visit_line(const char *path, unsigned line_number, const char *line);

/* All further paths are relative to this folder. */
void tree_set_root(const char *root);

/* Visits every file below `folder`, sorted by name, hidden ones left out. A missing folder has no files. */
void tree_each_file(const char *folder, tree_visit_file *visit);

/* Visits every line of a file, without its line end. A file that cannot be read is a complaint. */
void tree_each_line(const char *path, tree_visit_line *visit);

bool tree_has_file(const char *path);

/* The last component: "ring.c" of "csrc/base/ring.c". */
const char *tree_name(const char *path);

bool tree_has_suffix(const char *text, const char *suffix);

/* Prints "path:line: ..." (without the line if it is 0) to standard error and counts it. */
__attribute__((format(printf, 3, 4))) void tree_complain(const char *path, unsigned line_number, const char *format,
                                                         ...);

/* Prints how many files were visited and how many complaints there were; returns the exit status. To have visited
 * nothing is a failure. */
int tree_finish(void);

#endif

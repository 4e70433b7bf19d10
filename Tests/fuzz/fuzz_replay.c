/* Runs a fuzz target over every file of the folders and files given as arguments, without a fuzzer. Prints how many
 * inputs ran; fails when there was none, so that a lost corpus is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replay_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1); /* exact, so that a sanitizer sees a read past the end */
  if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  LLVMFuzzerTestOneInput(bytes, (size_t)size);
  free(bytes);
  return 1;
}

static unsigned replay(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    perror(path);
    exit(1);
  }
  if (!S_ISDIR(status.st_mode)) return replay_file(path);

  unsigned count = 0;
  DIR *folder = opendir(path);
  for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL; entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    char inner[4096];
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    count += replay(inner);
  }
  if (folder != NULL) closedir(folder);
  return count;
}

int main(int argc, char **argv) {
  unsigned count = 0;
  for (int i = 1; i < argc; i++) count += replay(argv[i]);
  if (count == 0) fprintf(stderr, "no inputs found: the corpus is missing\n");
  printf("%u passed, %u failed\n", count, count == 0);
  return count == 0;
}

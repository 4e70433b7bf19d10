#!/bin/sh
# Builds and runs one of the consumer projects against the library, statically and dynamically linked:
#
#   run.sh install          BUILD_DIR's libraries go to WORK_DIR/prefix, where the next two look for them
#   run.sh find_package
#   run.sh pkg_config
#   run.sh add_subdirectory
#
# In the environment: SOURCE_DIR and BUILD_DIR of the project, WORK_DIR for everything written here, CMAKE, CC, CFLAGS
# (those the library was built with, when sanitizers need them in the program too), CONFIG.
set -eu
unset DESTDIR

here=$(cd "$(dirname "$0")" && pwd)
prefix=$WORK_DIR/prefix
output=$WORK_DIR/$1

# The key of the seed 00 01 02 … 1f.
expected='03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8
yqooxx9u3aemh8mo5wcqq16yufu6jitouq1o4za751dger1igghy'

run_one() {
  actual=$("$1")
  if [ "$actual" != "$expected" ]; then
    printf '%s printed:\n%s\nexpected:\n%s\n' "$1" "$actual" "$expected" >&2
    exit 1
  fi
}

uses_shared_library() {
  if command -v otool >/dev/null; then otool -L "$1"; else ldd "$1"; fi | grep -q libhdht
}

run_both() {
  run_one "$output/show_key_static"
  run_one "$output/show_key_shared"
  if uses_shared_library "$output/show_key_static"; then
    echo "$output/show_key_static loads the shared library" >&2
    exit 1
  fi
  if ! uses_shared_library "$output/show_key_shared"; then
    echo "$output/show_key_shared does not load the shared library" >&2
    exit 1
  fi
  echo "$1: static and shared run"
}

build_with_cmake() {
  "$CMAKE" -S "$here/$1" -B "$output" "-DCMAKE_C_COMPILER=$CC" "-DCMAKE_C_FLAGS=$CFLAGS" -DCMAKE_BUILD_TYPE=Debug \
    "-DCMAKE_PREFIX_PATH=$prefix" "-DHDHT_SOURCE_DIR=$SOURCE_DIR"
  "$CMAKE" --build "$output" --parallel 2
}

# The subproject's build is kept, because it compiles the whole library; the others are small and start anew.
[ "$1" = add_subdirectory ] || rm -rf "$output"
mkdir -p "$output"
case $1 in
  install)
    rm -rf "$prefix"
    "$CMAKE" --install "$BUILD_DIR" --prefix "$prefix" --config "$CONFIG"
    ;;
  find_package | add_subdirectory)
    build_with_cmake "$1"
    run_both "$1"
    ;;
  pkg_config)
    folder=$(dirname "$(find "$prefix" -name hdht.pc)")
    PKG_CONFIG_PATH=$folder
    export PKG_CONFIG_PATH CC CFLAGS
    make -C "$output" -f "$here/pkg_config/Makefile"
    run_both "$1"
    ;;
  *)
    echo "usage: $0 install|find_package|pkg_config|add_subdirectory" >&2
    exit 2
    ;;
esac

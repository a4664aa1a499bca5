#!/bin/sh
# Installs the build into an empty prefix, moves it, and uses it as strangers do: the command, a CMake
# project, pkg-config. package.sh SOURCE_DIR BUILD_DIR WORK_DIR CXX PYTHON NM LIBRARY..., where the libraries are those
# that a host may have in another version.
set -eu
source=$1 build=$2 work=$3 cxx=$4 python=$5 nm=$6
shift 6

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"
prefix="$work/prefix"
models="$prefix/share/graphrun/models"
library=$(find "$prefix" -name libgraphrun.so)

echo '--- the command, from its own folder'
(cd / && "$prefix/bin/graphrun" check "$models/autoencoder.yaml")

echo '--- its allocations are counted from outside: the command replaces no allocator'
"$prefix/bin/graphrun" bench "$models/autoencoder.yaml" --batch 8 --seconds 1 --json | grep '"allocations_per_step": [0-9]'
if "$nm" -D --defined-only "$prefix/bin/graphrun" | grep -E ' (malloc|calloc|realloc|free|posix_memalign|_Zn[wa]m)$'; then
  exit 1
fi

echo '--- the library brings TBB, zlib and the C++ run time'
ldd "$library"
if ldd "$library" | grep -v -E 'lib(tbb|z|stdc\+\+|m|gcc_s|c|atomic|dl|pthread)\.so|linux-vdso|ld-linux'; then
  exit 1
fi

echo '--- CMake: find_package(graphrun)'
"$python" "$source/tests/package/poison.py" "$nm" "$work/poison.s" "$@"
cmake -S "$source/tests/package/host" -B "$work/host" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" -DGRAPHRUN_EXAMPLES="$prefix/share/graphrun/examples" \
  -DGRAPHRUN_POISON="$work/poison.s" >/dev/null
cmake --build "$work/host"
"$work/host/version"
mkdir "$work/embed"
(cd "$work/embed" && "$work/host/embed" "$models/autoencoder.yaml" "$work/embed")
"$work/host/serve" "$models/autoencoder.yaml" | grep -q "the session's: yes"
"$work/host/control" | grep "of 500 too late"
"$work/host/anomaly" | grep "rows after the sensor got stuck"

echo '--- CMake: the static library, in a host that needs no file of graphrun to run'
cmake -S "$source/tests/package/static_host" -B "$work/static_host" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/static_host"
"$work/static_host/version"
test "$("$work/static_host/learn" "$models/convolutional.yaml")" = "$("$work/host/learn" "$models/convolutional.yaml")"
if ldd "$work/static_host/learn" | grep graphrun; then
  exit 1
fi

echo '--- pkg-config graphrun'
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name graphrun.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags are meant to be split
"$cxx" "$source/tests/package/host/version.cpp" -o "$work/version" $(pkg-config --cflags --libs graphrun)
# shellcheck disable=SC2046
"$cxx" "$source/tests/package/host/learn.cpp" -o "$work/learn_beside" \
  -Wl,--no-as-needed "$work/host/libpoison.so" $(pkg-config --cflags --libs graphrun)
libdir=$(pkg-config --variable=libdir graphrun)
LD_LIBRARY_PATH=$libdir "$work/version"

echo '--- hosts whose own libraries have the names of those below'
alone=$("$work/host/learn" "$models/convolutional.yaml")
test "$("$work/host/learn_beside" "$models/convolutional.yaml")" = "$alone"
test "$(LD_LIBRARY_PATH="$libdir:$work/host" "$work/learn_beside" "$models/convolutional.yaml")" = "$alone"
# With them in front of everything, as a preloaded allocator is.
test "$(LD_PRELOAD="$work/host/libpoison.so" "$work/host/learn" "$models/convolutional.yaml")" = "$alone"
echo "$alone in all of them"

echo '--- a plug-in that comes and goes'
"$work/host/unload" "$work/host/libplugin.so" "$models/autoencoder.yaml" "$work/plugin.safetensors"

echo '--- no third-party header is named by a public one'
if grep -r -n -E '#include *["<](fmt|yaml-cpp|oneapi|dnnl|tbb|nlohmann|CLI|curl|png|zlib|hwy)' "$prefix/include"; then
  exit 1
fi

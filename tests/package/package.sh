#!/bin/sh
# Installs the build into an empty prefix, moves it, and uses it as strangers do: the command, a CMake
# project, pkg-config. package.sh SOURCE_DIR BUILD_DIR WORK_DIR CXX
set -eu
source=$1 build=$2 work=$3 cxx=$4

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"
prefix="$work/prefix"

echo '--- the command, from its own folder'
(cd / && "$prefix/bin/graphrun" check "$prefix/share/graphrun/models/autoencoder.yaml")

echo '--- CMake: find_package(graphrun)'
cmake -S "$source/tests/package/host" -B "$work/host" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" -DGRAPHRUN_EXAMPLES="$prefix/share/graphrun/examples" >/dev/null
cmake --build "$work/host"
"$work/host/version"
if [ -x "$work/host/embed" ]; then
  mkdir "$work/embed"
  (cd "$work/embed" && "$work/host/embed" "$prefix/share/graphrun/models/autoencoder.yaml" "$work/embed")
fi

echo '--- pkg-config graphrun'
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name graphrun.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags are meant to be split
"$cxx" "$source/tests/package/host/version.cpp" -o "$work/version" $(pkg-config --cflags --libs graphrun)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir graphrun) "$work/version"

echo '--- no third-party header is named by a public one'
if grep -r -n -E '#include *["<](fmt|yaml-cpp|oneapi|dnnl|tbb|nlohmann|CLI|curl|png|zlib|hwy)' "$prefix/include"; then
  exit 1
fi

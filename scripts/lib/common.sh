# Sourced by the scripts beside this folder: finds the repository, checks the tools, builds when something changed.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck disable=SC2034  # for the scripts that start a JVM
java_command=${JAVA_HOME:+$JAVA_HOME/bin/}java

say() { printf '%s\n' "internvl4j: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# ---- tools ----------------------------------------------------------------------------------------------------------

# major_version COMMAND...: the first number the command prints.
major_version() { "$@" 2>&1 | grep -oE '[0-9]+' | head -n 1; }

has_java() {
  local compiler=${JAVA_HOME:+$JAVA_HOME/bin/}javac version
  command -v "$compiler" >/dev/null || return 1
  version=$(major_version "$compiler" -version)
  ((${version:-0} >= 17))
}

has_cmake() {
  local version
  command -v cmake >/dev/null || return 1
  version=$(cmake --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
  ((${version%.*} > 3 || (${version%.*} == 3 && ${version#*.} >= 22)))
}

# JavaCPP compiles its part of the binding with g++, so that is needed even where CXX=clang++ builds the library.
has_compiler() {
  local version
  command -v g++ >/dev/null || return 1
  version=$(g++ -dumpversion)
  ((${version%%.*} >= 12))
}

has_header() { printf '#include <%s>\n' "$1" | "${CXX:-g++}" -std=c++20 -E -x c++ - -o /dev/null 2>/dev/null; }

# require_tools [tests]: installs what is missing where that can be done unasked, else says what is missing and stops.
require_tools() {
  local -a missing=() packages=()
  need() {
    missing+=("$1")
    packages+=("$2")
  }
  has_java || need "a JDK, 17 or newer (JAVA_HOME is ${JAVA_HOME:-not set})" openjdk-17-jdk-headless
  command -v mvn >/dev/null || need "Maven 3.8 or newer (mvn)" maven
  has_cmake || need "CMake 3.22 or newer" cmake
  has_compiler || need "g++ 12 or newer" g++
  command -v ninja >/dev/null || command -v make >/dev/null || need "ninja or make" ninja-build
  has_header nlohmann/json.hpp || need "nlohmann/json (C++ header)" nlohmann-json3-dev
  if [[ ${1:-} == tests ]]; then
    has_header gtest/gtest.h || need "GoogleTest" libgtest-dev
    has_header simde/x86/avx512.h || need "SIMDe (C++ headers)" libsimde-dev
    command -v python3 >/dev/null || need "Python 3.9 or newer" python3
  fi
  unset -f need
  ((${#missing[@]} == 0)) && return

  if [[ -n ${internvl4j_installed:-} || ! -e /etc/debian_version || $(id -u) != 0 ]]; then
    say "missing: $(printf '%s; ' "${missing[@]}" | sed 's/; $//')"
    die "on Debian or Ubuntu: sudo apt-get install ${packages[*]}"
  fi
  say "installing ${packages[*]}"
  {
    apt-get -qq update &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"
  } >&2 || die "could not install ${packages[*]}"
  # Once more, for a package that is older than what we need.
  internvl4j_installed=1
  require_tools "$@"
}

# ---- Maven builds on first use --------------------------------------------------------------------------------------

# is_stale STAMP JAR: something the jar is made of is newer than its last build. Folders count too: a deleted file
# changes its folder's time.
is_stale() {
  local stamp=$1 jar=$2
  [[ -e $stamp && -e $jar ]] || return 0
  [[ -n $(find "$root/pom.xml" "$root/.mvn" "$root/CMakeLists.txt" "$root/scripts/build-native.cmake" \
    "$root/native/CMakeLists.txt" "$root/native/internvl4j.map" "$root/native/glibc_floor.cpp" "$root/native/include" \
    "$root/native/src" "$root/kernels" \
    "$root/java"/*/pom.xml "$root/java"/*/src/main -newer "$stamp" -print -quit) ]]
}

# build_module NAME JAR [PROFILE]: builds java/NAME and what it needs, with Maven's profile if one is given, unless that was
# done since the last change. Speaks on stderr only. One build at a time: the others wait for it and then find nothing left to
# do.
build_module() {
  local name=$1 jar=$2 profile=${3:-}
  local stamp=$root/build/$name${profile:+-$profile}.stamp log=$root/build/$name-build.log
  is_stale "$stamp" "$jar" || return 0
  require_tools
  mkdir -p "$root/build"
  (
    flock 9
    is_stale "$stamp" "$jar" || exit 0
    say "building (a few minutes the first time; log: $log)"
    # The time of the start, so that a file edited during the build counts as newer.
    touch "$stamp.new"
    if ! mvn -B --no-transfer-progress -f "$root/pom.xml" -pl "java/$name" -am ${profile:+"-P$profile"} -Dmaven.test.skip=true package \
      </dev/null >"$log" 2>&1; then
      grep -E 'error:|ERROR|FAILED' "$log" | head -n 20 >&2 || true
      die "the build failed; everything it said is in $log"
    fi
    mv "$stamp.new" "$stamp"
    rm -rf "$root/build/javacpp-cache"
    say "built"
  ) 9>"$root/build/.lock" || exit 1
}

# build_emulated TARGET: the native library with emulated GPUs (internvl4j_emulated), or what else is made of them, into
# build/release, beside the library without: they share most of what is compiled.
build_emulated() {
  local dir=$root/build/release log=$root/build/emulated-build.log
  local -a generator=()
  require_tools
  mkdir -p "$dir"
  [[ -e $dir/CMakeCache.txt ]] || ! command -v ninja >/dev/null || generator=(-G Ninja)
  (
    flock 9
    [[ -e $dir/emulated/libinternvl4j.so ]] || say "building the emulated GPU (minutes the first time; log: $log)"
    { cmake -S "$root" -B "$dir" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release &&
      cmake --build "$dir" --target "$1" --parallel "$(nproc)"; } >"$log" 2>&1 || die "the build failed; see $log"
  ) 9>"$root/build/.lock" || exit 1
}

# The architectures of this machine's GPUs as CMake names them, "80-real;90-real"; nothing without a driver.
gpu_architectures() {
  nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d . | sort -u | sed 's/$/-real/' | paste -sd ';'
}

# build_gpu: the native library for this machine's GPUs, or for those of CUDAARCHS, into build/gpu.
build_gpu() {
  local dir=$root/build/gpu log=$root/build/gpu-build.log architectures=${CUDAARCHS:-$(gpu_architectures)}
  local -a generator=()
  command -v nvcc >/dev/null || die "nvcc was not found; install the CUDA toolkit (12.8 or later) and put its bin folder on PATH"
  [[ -n $architectures ]] || die "no NVIDIA driver was found (nvidia-smi); CUDAARCHS=90-real, say, builds for a GPU that is elsewhere"
  require_tools
  mkdir -p "$dir"
  [[ -e $dir/CMakeCache.txt ]] || ! command -v ninja >/dev/null || generator=(-G Ninja)
  (
    flock 9
    [[ -e $dir/native/libinternvl4j.so ]] || say "building the library for GPUs (minutes the first time; log: $log)"
    { cmake -S "$root" -B "$dir" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DIVL_GPU=cuda \
      "-DCMAKE_CUDA_ARCHITECTURES=$architectures" &&
      cmake --build "$dir" --target internvl4j --parallel "$(nproc)"; } >"$log" 2>&1 || die "the build failed; see $log"
  ) 9>"$root/build/.gpu-lock" || exit 1
}

# Sets the array jvm_options: what every JVM of ours is started with.
set_jvm_options() {
  # shellcheck disable=SC2034
  jvm_options=(
    # JDK 24 and later warn of native code that was not allowed here; 17 knows the option too.
    --enable-native-access=ALL-UNNAMED
    # JavaCPP would count the mapped weights as its own and refuse to allocate.
    -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
    # Ours alone: JavaCPP tells builds of one version apart by their size only. build_module empties it.
    "-Dorg.bytedeco.javacpp.cacheDir=$root/build/javacpp-cache"
    -Djava.awt.headless=true
  )
}

# JVMs take the native library that INTERNVL4J_NATIVE names instead of the packaged one; it is built where that is needed.
choose_native() {
  local dir
  case ${INTERNVL4J_NATIVE:-} in
    '') return ;;
    emulated)
      build_emulated internvl4j_emulated
      dir=$root/build/release/emulated
      ;;
    gpu)
      build_gpu
      dir=$root/build/gpu/native
      ;;
    *) die "INTERNVL4J_NATIVE is '$INTERNVL4J_NATIVE', expected nothing, emulated or gpu" ;;
  esac
  jvm_options+=(
    -Dorg.bytedeco.javacpp.pathsFirst=true
    # Setting it hides LD_LIBRARY_PATH from JavaCPP.
    "-Djava.library.path=$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  )
}

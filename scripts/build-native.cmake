# Configures, builds and stages libinternvl4j.so for the Maven module java/native, which runs
#   cmake -DSOURCE_DIR=.. -DBINARY_DIR=.. -DSTAGE_DIR=.. -DCOPY_DIR=.. [-DIVL_GPU=cuda] -P build-native.cmake
cmake_minimum_required(VERSION 3.22)

foreach(name SOURCE_DIR BINARY_DIR STAGE_DIR COPY_DIR)
  if(NOT ${name})
    message(FATAL_ERROR "${name} is not set")
  endif()
  get_filename_component(${name} "${${name}}" ABSOLUTE)
endforeach()

set(generator "")
if(NOT EXISTS "${BINARY_DIR}/CMakeCache.txt" AND NOT DEFINED ENV{CMAKE_GENERATOR})
  find_program(ninja NAMES ninja ninja-build)
  if(ninja)
    set(generator -G Ninja)
  endif()
endif()

# make takes a bare --parallel for "without limit".
set(jobs "$ENV{CMAKE_BUILD_PARALLEL_LEVEL}")
if(NOT jobs)
  cmake_host_system_information(RESULT jobs QUERY NUMBER_OF_LOGICAL_CORES)
endif()

execute_process(
  COMMAND "${CMAKE_COMMAND}" --log-level=NOTICE -S "${SOURCE_DIR}" -B "${BINARY_DIR}" ${generator}
    -DCMAKE_BUILD_TYPE=Release "-DIVL_GPU=${IVL_GPU}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND "${CMAKE_COMMAND}" --build "${BINARY_DIR}" --target internvl4j --parallel "${jobs}"
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND "${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${STAGE_DIR}"
  OUTPUT_QUIET
  COMMAND_ERROR_IS_FATAL ANY)

# JavaCPP copies the library beside its own when it builds that, which it does not where the header is as before: the library
# of the last build would stay in the jar.
if(EXISTS "${COPY_DIR}/libinternvl4j.so")
  file(COPY_FILE "${STAGE_DIR}/lib/libinternvl4j.so" "${COPY_DIR}/libinternvl4j.so" ONLY_IF_DIFFERENT)
endif()

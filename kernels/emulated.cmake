file(GLOB emulation_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/emulation/*.cpp")

# Everything below is compiled for the emulation instead of a GPU.
add_library(emulated_gpu INTERFACE)
target_compile_definitions(emulated_gpu INTERFACE GPU_EMULATED)
target_include_directories(emulated_gpu INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(emulated_gpu INTERFACE ivl_options)

add_library(kernel_emulation OBJECT ${emulation_sources})
target_link_libraries(kernel_emulation PRIVATE emulated_gpu)
# Every access of a kernel comes through these files: as one source, they are inlined.
set_target_properties(kernel_emulation PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
foreach(name block cells checks fences fiber hooks memory order)
  set_source_files_properties("${CMAKE_CURRENT_SOURCE_DIR}/emulation/${name}.cpp" PROPERTIES UNITY_GROUP accesses)
endforeach()

# The compiler puts a hook at every access, and the library behind the hooks is the emulation. Without -fno-tree-sra
# wide accesses would be taken apart before; -g1 gives reports their lines.
function(add_emulated_kernels name)
  add_library(${name} OBJECT ${ARGN})
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX)
  target_compile_options(${name} PRIVATE -x c++ -O1 -g1 -fsanitize=thread -fno-tree-sra -Wno-unknown-pragmas)
  target_link_libraries(${name} PRIVATE emulated_gpu)
endfunction()
add_emulated_kernels(emulated_kernels ${kernel_sources})

add_library(emulated_backend OBJECT ${backend_sources})
target_include_directories(emulated_backend PRIVATE "${native}/src")
target_link_libraries(emulated_backend PRIVATE emulated_gpu)

# The library with emulated GPUs, under the name of the one without, in a folder of its own: programs take it instead.
add_ivl_library(internvl4j_emulated "${CMAKE_CURRENT_SOURCE_DIR}/emulation/library/whole_process.cpp"
  $<TARGET_OBJECTS:emulated_backend> $<TARGET_OBJECTS:kernel_emulation> $<TARGET_OBJECTS:emulated_kernels>)
set_target_properties(internvl4j_emulated PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/emulated")
target_link_libraries(internvl4j_emulated PRIVATE emulated_gpu ${CMAKE_DL_LIBS})

# What the launches of a whole model cost (scripts/roofline).
add_library(roofline_walk OBJECT EXCLUDE_FROM_ALL "${CMAKE_CURRENT_SOURCE_DIR}/roofline/walk.cpp")
target_include_directories(roofline_walk PRIVATE "${native}/src")
target_link_libraries(roofline_walk PRIVATE emulated_gpu)
add_executable(internvl4j_roofline EXCLUDE_FROM_ALL "${CMAKE_CURRENT_SOURCE_DIR}/roofline/main.cpp"
  $<TARGET_OBJECTS:roofline_walk> $<TARGET_OBJECTS:emulated_backend> $<TARGET_OBJECTS:kernel_emulation>
  $<TARGET_OBJECTS:emulated_kernels>)
target_link_libraries(internvl4j_roofline PRIVATE internvl4j_core emulated_gpu ${CMAKE_DL_LIBS})

if(IVL_BUILD_TESTS)
  include(GoogleTest)
  find_package(GTest REQUIRED)
  file(GLOB planted_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/*.cu")
  file(GLOB kernel_test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/*.cpp")
  file(GLOB backend_test_sources CONFIGURE_DEPENDS "${native}/tests/cuda/*.cpp")
  add_emulated_kernels(planted_kernels ${planted_sources})

  add_executable(internvl4j_kernel_tests ${kernel_test_sources} $<TARGET_OBJECTS:kernel_emulation>
    $<TARGET_OBJECTS:emulated_kernels> $<TARGET_OBJECTS:planted_kernels>)
  target_compile_definitions(internvl4j_kernel_tests PRIVATE IVL_KERNELS="${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(internvl4j_kernel_tests PRIVATE emulated_gpu GTest::gtest_main ${CMAKE_DL_LIBS})
  gtest_discover_tests(internvl4j_kernel_tests DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)

  # What scripts/check-kernels makes of the compiler's words; it needs no nvcc.
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  add_test(NAME check_kernels COMMAND "${Python3_EXECUTABLE}" -B -m unittest kernel_resources_test
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}/scripts/lib")

  add_executable(internvl4j_cuda_tests ${backend_test_sources} "${native}/tests/model/oracle.cpp"
    "${native}/tests/backend/reference_backend.cpp"
    $<TARGET_OBJECTS:roofline_walk> $<TARGET_OBJECTS:emulated_backend> $<TARGET_OBJECTS:kernel_emulation>
    $<TARGET_OBJECTS:emulated_kernels> $<TARGET_OBJECTS:internvl4j_api>)
  target_include_directories(internvl4j_cuda_tests PRIVATE "${native}/tests" "${native}/include")
  target_compile_definitions(internvl4j_cuda_tests PRIVATE IVL_TEST_DATA="${PROJECT_SOURCE_DIR}/test-data"
    IVL_SHAPES="${PROJECT_SOURCE_DIR}/java/bench/src/main/resources/shapes")
  target_link_libraries(internvl4j_cuda_tests PRIVATE internvl4j_core emulated_gpu GTest::gtest_main ${CMAKE_DL_LIBS})
  gtest_discover_tests(internvl4j_cuda_tests DISCOVERY_MODE PRE_TEST
    PROPERTIES ENVIRONMENT "IVL_TEST_DATA=${PROJECT_SOURCE_DIR}/test-data" TIMEOUT 900)
endif()

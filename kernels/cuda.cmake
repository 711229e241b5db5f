# For GPUs: code for every generation from Ampere on, and PTX for later ones. The CUDA runtime is linked statically and looks
# for the driver when it is first used, so the library loads and works on machines without one.
if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120)
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
find_package(CUDAToolkit 12.8 REQUIRED)

# Hopper's warpgroup instructions are no other architecture's, and in none of its successors.
file(GLOB hopper_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/warpgroup_*.cu")
list(REMOVE_ITEM kernel_sources ${hopper_sources})
add_library(cuda_kernels OBJECT ${kernel_sources})
add_library(hopper_kernels OBJECT ${hopper_sources})
set_target_properties(hopper_kernels PROPERTIES CUDA_ARCHITECTURES 90a-real)
foreach(kernels cuda_kernels hopper_kernels)
  set_target_properties(${kernels} PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON)
  target_include_directories(${kernels} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  # With the tests come lines, for what compute-sanitizer reports.
  target_compile_options(${kernels} PRIVATE -Xptxas --warn-on-spills,--warning-as-error $<$<BOOL:${IVL_BUILD_TESTS}>:-lineinfo>)
endforeach()
set(kernel_objects $<TARGET_OBJECTS:cuda_kernels> $<TARGET_OBJECTS:hopper_kernels>)

add_library(cuda_backend OBJECT ${backend_sources})
target_include_directories(cuda_backend PRIVATE "${native}/src" "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(cuda_backend PRIVATE ivl_options CUDA::cudart_static)

target_sources(internvl4j PRIVATE $<TARGET_OBJECTS:cuda_backend> ${kernel_objects})
target_link_libraries(internvl4j PRIVATE CUDA::cudart_static)

# The same tests as over the emulation, on a GPU: scripts/gpu-suite runs them.
if(IVL_BUILD_TESTS)
  find_package(GTest REQUIRED)
  file(GLOB gpu_kernel_test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/*.cpp")
  list(FILTER gpu_kernel_test_sources EXCLUDE REGEX "/(checker|order|runtime|traffic)_test\\.cpp$")
  file(GLOB gpu_test_sources CONFIGURE_DEPENDS "${native}/tests/cuda/*.cpp")
  list(FILTER gpu_test_sources EXCLUDE REGEX "/emulated_[a-z_]*\\.cpp$")

  add_executable(internvl4j_gpu_kernel_tests ${gpu_kernel_test_sources} ${kernel_objects})
  target_include_directories(internvl4j_gpu_kernel_tests PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(internvl4j_gpu_kernel_tests PRIVATE CUDA::cudart_static GTest::gtest_main)

  add_executable(internvl4j_gpu_bench "${CMAKE_CURRENT_SOURCE_DIR}/bench/gpu_bench.cpp" ${kernel_objects})
  target_include_directories(internvl4j_gpu_bench PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(internvl4j_gpu_bench PRIVATE CUDA::cudart_static)

  add_executable(internvl4j_gpu_tests ${gpu_test_sources} "${native}/tests/model/oracle.cpp"
    "${native}/tests/backend/reference_backend.cpp"
    $<TARGET_OBJECTS:cuda_backend> ${kernel_objects})
  target_include_directories(internvl4j_gpu_tests PRIVATE "${native}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(internvl4j_gpu_tests PRIVATE IVL_TEST_DATA="${PROJECT_SOURCE_DIR}/test-data"
    IVL_SHAPES="${PROJECT_SOURCE_DIR}/java/bench/src/main/resources/shapes")
  target_link_libraries(internvl4j_gpu_tests PRIVATE internvl4j_core CUDA::cudart_static GTest::gtest_main)
endif()

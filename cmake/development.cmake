# What only people who build Sluice itself need: flags, tests, examples, benchmarks, fuzz targets.
set(CMAKE_CXX_EXTENSIONS OFF)
include(cmake/flags.cmake)
enable_testing()

if(PROJECT_IS_TOP_LEVEL)
  # Every header compiles alone: target all_verify_interface_header_sets.
  set_target_properties(sluice PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  add_compile_options(${sluice_warning_flags})
endif()

if(SLUICE_BUILD_TESTS)
  add_subdirectory(tests)
endif()
if(SLUICE_BUILD_EXAMPLES)
  add_subdirectory(examples)
endif()
if(SLUICE_BUILD_BENCH)
  add_subdirectory(bench)
endif()
if(SLUICE_BUILD_FUZZ OR SLUICE_FUZZER)
  add_subdirectory(fuzz)
endif()

# Flags of our own targets, as usage requirements that are linked PRIVATE; none reaches a user.
set(sluice_warning_flags -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow)
if(SLUICE_WARNINGS_AS_ERRORS)
  list(APPEND sluice_warning_flags -Werror)
endif()
# g++ 12 warns of overlapping copies inside std::string that cannot happen (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND sluice_warning_flags -Wno-restrict)
endif()
set(sluice_core_flags -fno-exceptions -fno-rtti)

add_library(sluice_dev INTERFACE)
target_compile_options(sluice_dev INTERFACE ${sluice_warning_flags})
target_link_libraries(sluice_dev INTERFACE sluice::sluice)

# Layers 0 to 5 promise to work without exceptions and RTTI.
add_library(sluice_core INTERFACE)
target_compile_options(sluice_core INTERFACE ${sluice_core_flags})
target_link_libraries(sluice_core INTERFACE sluice_dev)

# Installs the headers and a package that find_package(sluice) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(sluice_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/sluice")

install(TARGETS sluice EXPORT sluice-targets
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT sluice-targets NAMESPACE sluice:: DESTINATION "${sluice_package_dir}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/sluice-config.cmake.in"
  "${PROJECT_BINARY_DIR}/sluice-config.cmake"
  INSTALL_DESTINATION "${sluice_package_dir}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sluice-config-version.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/sluice-config.cmake"
  "${PROJECT_BINARY_DIR}/sluice-config-version.cmake"
  DESTINATION "${sluice_package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/sluice")

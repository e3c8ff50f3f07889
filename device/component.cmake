# updraft as an ESP-IDF component: engine and the chip's side. The root's CMakeLists.txt includes
# this file, so paths are relative to the root.
idf_build_get_property(target IDF_TARGET)
if("${target}" STREQUAL "linux")
    # There is neither NimBLE nor app_update on ESP-IDF's own host target.
    idf_component_register()
    return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/../core/sources.cmake)
list(TRANSFORM UPDRAFT_CORE_SOURCES PREPEND core/)

idf_component_register(
    SRCS
        ${UPDRAFT_CORE_SOURCES}
        device/src/actions.c
        device/src/fast_link.c
        device/src/gap.c
        device/src/gatt.c
        device/src/idf_compat.c
        device/src/link.c
        device/src/log.c
        device/src/marker.c
        device/src/note.c
        device/src/ring.c
        device/src/slot.c
        device/src/snapshot.c
        device/src/task.c
        device/src/trial.c
        device/src/updraft.c
    INCLUDE_DIRS core/include device/include
    PRIV_INCLUDE_DIRS device/src
    PRIV_REQUIRES app_update bootloader_support bt efuse esp_app_format esp_hw_support
                  esp_partition esp_rom esp_system esp_timer mbedtls nvs_flash
)

# Nothing refers to the marker; without this the linker would leave it out of the archive.
set_property(TARGET ${COMPONENT_LIB} APPEND PROPERTY
    INTERFACE_LINK_LIBRARIES "-u updraft_marker")

# Since ESP-IDF 6.0 the watchdog's registers are a component of their own.
idf_component_optional_requires(PRIVATE esp_hal_wdt)

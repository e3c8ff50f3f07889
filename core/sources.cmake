# The engine's sources, for every build that compiles it: the host's, the chip's, a firmware
# module's. Paths are relative to this folder.
set(UPDRAFT_CORE_SOURCES
    src/bytes.c
    src/client_command2.c
    src/client_reports2.c
    src/client_sectors2.c
    src/client_session.c
    src/client_session2.c
    src/device_actions.c
    src/device_erase.c
    src/device_protocol2.c
    src/device_protocol2_actions.c
    src/device_session.c
    src/error.c
    src/image.c
    src/info.c
    src/otadata.c
    src/protocol2.c
)

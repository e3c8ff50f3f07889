# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Defects that somebody could make, one at a time, each at its place in the sources.

Each is (name, tests, changes): the tests that should notice it, which are tried first, and
(file, text, text in its place) for each change. A text must stand in its file exactly once.
"""

DEVICE1 = "core/src/device_session.c"
DEVICE2 = "core/src/device_protocol2.c"
ACTIONS1 = "core/src/device_actions.c"
ACTIONS2 = "core/src/device_protocol2_actions.c"
ERASE = "core/src/device_erase.c"
CLIENT2 = "core/src/client_session2.c"
REPORTS2 = "core/src/client_reports2.c"
SECTORS2 = "core/src/client_sectors2.c"
SLOT = "device/src/slot.c"

MUTANTS = [
    ("write otadata before verifying", ["test_device_session"], [
        (ACTIONS1, "device->step = STEP_HASH;\n    }", "device->step = STEP_ACTIVATE;\n    }"),
    ]),
    ("activate without the header", ["test_sessions2", "explore_2_2"], [
        (DEVICE2, "            device->step = STEP_COMMIT;", "            device->step = STEP_POLICY;"),
    ]),
    ("trust a counter instead of the content", ["test_client_sectors2", "test_sessions2"], [
        (SECTORS2, "        if (matches(client, sector, crc)) {",
         "        if (sector + 1u < end || matches(client, sector, crc)) {"),
    ]),
    ("forget the owner", ["test_device_protocol2", "explore_2_2"], [
        (DEVICE1, "    if (connection == device->owner && device->protocol == 2) {\n"
         "        updraft_p2_data(",
         "    if (device->protocol == 2) {\n        updraft_p2_data("),
    ]),
    ("skip the final hash, protocol 1", ["test_device_faults"], [
        (ACTIONS1, "int error = updraft_image_check_hash(&device->image, output);",
         "int error = 0;"),
    ]),
    ("skip the final hash, protocol 2", ["test_device_protocol2", "test_sessions2"], [
        (ACTIONS2, "    if (memcmp(output, expected, size) != 0) {",
         "    if (device->step != STEP_HASH && memcmp(output, expected, size) != 0) {"),
    ]),
    ("accept a stale acknowledgement", ["test_client_session2"], [
        (REPORTS2, "    if (ahead < 0) {\n        return; /* late */",
         "    if (ahead < -512) {\n        return; /* late */"),
    ]),
    ("take a late STATE for the begin of a stream", ["test_client_sectors2"], [
        (REPORTS2, "return asked || (int16_t)(uint16_t)(report->next - client->last_number) >= 0;",
         "return asked || report->next != 0 || client->last_number != 0;"),
    ]),
    ("mark valid without looking which slot runs", ["test_slot", "test_world_trials"], [
        (SLOT,
         "        ret_otadata->entries[ret_otadata->active].slot != ota_index(slots->running)) {",
         "        slots->ota_count == 0) {"),
    ]),
    ("write the header first", ["test_sessions2", "explore_2_2"], [
        (DEVICE2, "    device->written_bytes = start == 0 ? UPDRAFT_HEAD_HELD_SIZE : start;",
         "    device->written_bytes = start;"),
        (DEVICE1, "    if (device->received_bytes < UPDRAFT_HEAD_HELD_SIZE) {",
         "    if (device->received_bytes < UPDRAFT_HEAD_HELD_SIZE && device->protocol == 1) {"),
    ]),
    ("allow an update on trial, protocol 1", ["test_device_session"], [
        (DEVICE1, "    if (device->config.on_trial) {", "    if (false) {"),
    ]),
    ("allow an update on trial, protocol 2", ["test_device_protocol2"], [
        (DEVICE2, "    if (device->config.on_trial) {", "    if (false) {"),
    ]),
    ("take a blank sector as erased", ["test_client_sectors2"], [
        (SECTORS2, "            crcs[sector] == BLANK_SECTOR_CRC) {",
         "            crcs[sector] == BLANK_SECTOR_CRC && sector == count) {"),
        (SECTORS2, "            doubtful = crcs[sector] == BLANK_SECTOR_CRC;",
         "            doubtful = false;"),
    ]),
    ("erase while otadata names the slot", ["test_sessions2", "explore_2_2"], [
        (DEVICE2, "    stream->prepared = false;", "    stream->prepared = true;"),
    ]),
    ("keep the promise of a staged image while its slot is erased",
     ["test_world_trials"], [
         ("device/src/actions.c",
          "    bool forgotten = updraft_note_forget(updraft_device_protocol(device) == 1);",
          "    bool forgotten = updraft_device_protocol(device) <= 2;"),
     ]),
    ("send beyond the window", ["test_client_session2"], [
        (CLIENT2, "           stream->sent < stream->limit;", "           stream->count > 0;"),
    ]),
    ("let a silent owner keep the device", ["test_device_protocol2"], [
        (DEVICE1, "    if ((int32_t)(now_ms - limit_ms(device)) < 0) {\n",
         "    if (device->protocol == 2) {\n"),
    ]),
    ("let a session outlive its link", ["test_device_protocol2", "explore_2_2"], [
        (DEVICE1, "    if (connection != device->owner) {\n        return;\n    }\n",
         "    if (connection != device->owner || device->protocol == 2) {\n"
         "        return;\n    }\n"),
    ]),
    ("take a chunk that is not the next one", ["test_device_protocol2", "test_sessions2"], [
        (DEVICE2, "    if (ahead == 0 && size ==", "    if (ahead < 2 && size =="),
    ]),
    ("take a late acknowledgement for another stream", ["test_client_session2", "explore_2_2"], [
        (REPORTS2, "    if (acked > stream->highest) {", "    if (acked > stream->sent) {"),
    ]),
    ("activate whatever image the client names", ["test_device_commands2"], [
        (DEVICE2,
         "        if (memcmp(command->id, stream->manifest.image_id, sizeof(command->id)) == 0) {",
         "        if (stream->manifest.file_size_bytes > 0) {"),
    ]),
    ("take an image that is not for this board", ["test_device_protocol2", "test_sessions2"], [
        (DEVICE2, "    if (status == UPDRAFT_P2_OK) {\n        device->step = STEP_JUDGE;",
         "    if (true) {\n        device->step = STEP_JUDGE;"),
    ]),
    ("report success while the trial lasts", ["test_flow2", "test_world_trials"], [
        ("client/src/flow_decide.c",
         "    if (flow->info.run_state == UPDRAFT_RUN_ON_TRIAL) {\n        watch_trial",
         "    if (flow->info.run_state == UPDRAFT_RUN_ON_TRIAL && flow->info.trial_left_s == 0) {\n"
         "        watch_trial"),
    ]),
    ("take the equal image in the old slot for the new one", ["test_flow2"], [
        ("client/src/flow_decide.c", "    if (meant && has_moved(flow)) {",
         "    if (meant && (has_moved(flow) || meant)) {"),
    ]),
    ("wait for a trial as long as the device says", ["test_flow2", "test_flow_hostile"], [
        ("client/src/flow_decide.c", "#define TRIAL_MAX_S 900u", "#define TRIAL_MAX_S 65535u"),
    ]),
    ("count what is in the ring before it is there", ["test_ring_threads", "test_link_threads"], [
        ("device/src/ring.c",
         "    atomic_store_explicit(&ring->pushed_bytes, add(ring, pushed, need_bytes),\n"
         "                          memory_order_release);",
         "    atomic_store_explicit(&ring->pushed_bytes, add(ring, pushed, need_bytes),\n"
         "                          memory_order_relaxed);"),
    ]),
    ("tell the host task of the owner in a plain variable", ["test_link_threads"], [
        ("device/src/link.c", "static _Atomic uint16_t published_owner;",
         "static uint16_t published_owner;"),
        ("device/src/link.c", "    atomic_store(&published_owner, owner);",
         "    published_owner = owner;"),
    ]),
    ("read Info while it changes", ["test_link_threads"], [
        ("device/src/snapshot.c",
         "    portENTER_CRITICAL(&lock);\n    now = current;\n    portEXIT_CRITICAL(&lock);",
         "    now = current;"),
    ]),
    ("take a range that ends behind the file", ["test_device_commands2"], [
        (DEVICE2, "        size > file_size - start) {", "        size > file_size) {"),
    ]),
    ("erase a block of which a part is behind the range", ["test_device_erase"], [
        (ERASE, "bool is_ours = left >= UPDRAFT_FLASH_BLOCK_SIZE ||", "bool is_ours = left > 0 ||"),
    ]),
    ("erase a block of which a part is behind the slot", ["test_device_erase"], [
        (ERASE, "    return fits && is_ours", "    return (fits || left > 0) && is_ours"),
    ]),
    ("erase ahead of the stream behind its range", ["test_device_erase"], [
        (ERASE, "from >= device->stream.end_bytes ||", "from >= device->config.slot_size_bytes ||"),
    ]),
    ("do not tell of a long erase", ["test_device_erase"], [
        (ACTIONS2, "bool is_long = updraft_erase_is_long(device, ret_action->size_bytes);",
         "bool is_long = false;"),
    ]),
    ("tell of what has come as programmed", ["test_device_erase"], [
        (ACTIONS2, "report.detail = device->written_bytes;",
         "report.detail = device->received_bytes;"),
    ]),
    ("promise a verification too early", ["test_device_commands2"], [
        (ACTIONS2, "manifest.file_size_bytes / HASHED_IN_100MS;",
         "manifest.file_size_bytes / HASHED_IN_100MS / 8;"),
    ]),
    ("fill a MAP report beyond the write size", ["test_device_commands2"], [
        (ACTIONS2, "stream->map_used_bytes + 4u > stream->write_size_bytes;",
         "stream->map_used_bytes > stream->write_size_bytes;"),
    ]),
    ("hash the image alone, not its file", ["test_device_commands2"], [
        (ACTIONS2, "ret_action->end_offset_bytes = manifest->file_size_bytes;",
         "ret_action->end_offset_bytes = manifest->image_size_bytes;"),
    ]),
    ("believe the manifest's marker", ["test_device_commands2"], [
        (ACTIONS2, "        size = UPDRAFT_P2_HEAD_SIZE - UPDRAFT_HEAD_HELD_SIZE;",
         "        size = UPDRAFT_IMAGE_HEAD_SIZE - UPDRAFT_HEAD_HELD_SIZE;"),
    ]),
    ("want a hardware id of a board that has none", ["test_device_commands2"], [
        (DEVICE2, "marker.hardware_id != 0 && config->hardware_id != 0 &&",
         "marker.hardware_id != 0 &&"),
    ]),
    ("let anybody's message keep a session alive", ["test_device_commands2"], [
        (DEVICE1, "    if (connection == device->owner) {\n        device->last_input_ms = now_ms;\n"
         "    }\n    if (size != 1) {",
         "    device->last_input_ms = now_ms;\n    if (size != 1) {"),
    ]),
    ("let chunks that are dropped keep a session alive", ["test_device_commands2"], [
        (DEVICE2, "    uint16_t ahead = (uint16_t)(updraft_get_le16(bytes) - stream->next);",
         "    uint16_t ahead = (uint16_t)(updraft_get_le16(bytes) - stream->next);\n"
         "    device->last_input_ms = now_ms;"),
    ]),
    ("take another session's MAP report", ["test_client_sectors2"], [
        (SECTORS2, "client->state != UPDRAFT_CLIENT2_MAPPING || map->session != client->session ||",
         "client->state != UPDRAFT_CLIENT2_MAPPING ||"),
    ]),
    ("begin a range said again by a late STATE", ["test_client_sectors2"], [
        (REPORTS2, "    client->last_number = (uint16_t)(client->stream.base + client->stream.acked);\n",
         ""),
    ]),
    ("update the only slot while it runs", ["test_slot_tables"], [
        (SLOT, "is_ota(next) && next->address != slots.running->address) {", "is_ota(next)) {"),
    ]),
    ("take a slot's first record for its last", ["test_slot_tables"], [
        (SLOT, "entry->sequence > sequence &&", "sequence == 0 &&"),
    ]),
    ("believe that a record was erased", ["test_slot_tables"], [
        (SLOT, "            error = UPDRAFT_ERROR_FLASH_ERASE;\n", ""),
    ]),
    ("put what runs on trial by selecting it", ["test_slot_tables"], [
        (SLOT, "        err = esp_ota_mark_app_valid_cancel_rollback();", "        err = ESP_OK;"),
    ]),
    ("leave the chip's watchdog off after the self-test", ["test_world_trials"], [
        ("device/src/trial.c", "    updraft_watchdog_arm(POLL_LIMIT_MS);\n    if (!passed)",
         "    updraft_watchdog_disable();\n    if (!passed)"),
    ]),
    ("advertise before the self-test has passed", ["test_world_trials"], [
        ("device/src/gap.c", "    if (!updraft_trial_tested()) {", "    if (false) {"),
    ]),
    ("confirm without the app's word that its radio works", ["test_world_trials"], [
        ("device/src/trial.c", " ||\n        !atomic_load(&trial.radio_ready)) {", ") {"),
    ]),
    ("activate what was staged in another slot", ["test_world_named"], [
        ("device/src/actions.c",
         "        note->slot != updraft_slot_index(config->slots.target) ||\n", ""),
    ]),
    ("do not tell of data that found no room", ["test_link"], [
        ("device/src/link.c", "        connection->lost_told = tell_lost(connection);",
         "        connection->lost_told = true;"),
    ]),
    ("read and hash without a pause", ["test_slot_tables"], [
        (SLOT, "    if (*offset_bytes / READ_YIELD_SIZE != before) {",
         "    if (*offset_bytes / READ_YIELD_SIZE < before) {"),
    ]),
    ("let others put all they ask into the ring", ["test_link", "test_world_foreign"], [
        ("device/src/link.c", "        if (atomic_load(&connection->asks)) {",
         "        if (false) {"),
    ]),
    ("keep the type of the device's address in a plain variable", ["test_tasks_threads"], [
        ("device/src/gap.c", "static _Atomic uint8_t own_address_type;",
         "static uint8_t own_address_type;"),
        ("device/src/gap.c", "    atomic_store(&own_address_type, type);",
         "    own_address_type = type;"),
    ]),
    ("tell the host task of the self-test in a plain variable", ["test_tasks_threads"], [
        ("device/src/trial.c", "    _Atomic bool tested;", "    bool tested;"),
        ("device/src/trial.c", "    atomic_store(&trial.tested, true);",
         "    trial.tested = true;"),
    ]),
]

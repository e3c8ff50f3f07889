/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The GATT server's table: registration, and what an access to each attribute does. */
#include <assert.h>
#include <string.h>

#include "sim/nimble/nimble.h"

#define CCCD_NOTIFY   0x0001
#define CCCD_INDICATE 0x0002

static const ble_uuid16_t uuid_primary = BLE_UUID16_INIT(BLE_ATT_UUID_PRIMARY_SERVICE);
static const ble_uuid16_t uuid_secondary =
    BLE_UUID16_INIT(BLE_ATT_UUID_SECONDARY_SERVICE);
static const ble_uuid16_t uuid_include = BLE_UUID16_INIT(BLE_ATT_UUID_INCLUDE);
static const ble_uuid16_t uuid_characteristic =
    BLE_UUID16_INIT(BLE_ATT_UUID_CHARACTERISTIC);
static const ble_uuid16_t uuid_cccd = BLE_UUID16_INIT(BLE_GATT_DSC_CLT_CFG_UUID16);

const struct attribute *gatts_attribute(struct nimble *n, uint16_t handle)
{
    if (handle == 0 || handle > n->attributes_count || n->attributes[handle - 1].hidden) {
        return NULL;
    }
    return &n->attributes[handle - 1];
}

/* Access. */

static int append(struct os_mbuf *om, const void *bytes, uint16_t size)
{
    return os_mbuf_append(om, bytes, size) == 0 ? 0 : BLE_ATT_ERR_INSUFFICIENT_RES;
}

static int access_service(struct connection *c, const struct attribute *attribute,
                          bool write, uint16_t offset, struct os_mbuf **om)
{
    uint8_t value[16];
    (void)c;
    (void)write; /* refused by the attribute's flags */
    (void)offset;
    return append(*om, value, uuid_put(value, attribute->service->uuid));
}

static const struct attribute *service_of(struct nimble *n,
                                          const struct ble_gatt_svc_def *definition)
{
    for (uint16_t i = 0; i < n->attributes_count; i++) {
        if (n->attributes[i].access == access_service &&
            n->attributes[i].service == definition) {
            return &n->attributes[i];
        }
    }
    return NULL;
}

static int access_include(struct connection *c, const struct attribute *attribute,
                          bool write, uint16_t offset, struct os_mbuf **om)
{
    const struct attribute *service = service_of(nimble_state(), attribute->service);
    uint8_t value[4 + 16];
    (void)c;
    (void)write;
    (void)offset;
    hci_put_le16(value, service->handle);
    hci_put_le16(value + 2, service->end);
    uint8_t size = uuid_put(value + 4, service->service->uuid);
    return append(*om, value, size == 2 ? 6 : 4); /* 128 bits are left out */
}

static int access_declaration(struct connection *c, const struct attribute *attribute,
                              bool write, uint16_t offset, struct os_mbuf **om)
{
    const struct ble_gatt_chr_def *chr = attribute->characteristic;
    uint8_t value[3 + 16];
    (void)c;
    (void)write;
    (void)offset;
    value[0] = (uint8_t)(chr->flags & 0x7F);
    if ((chr->flags & (BLE_GATT_CHR_F_RELIABLE_WRITE | BLE_GATT_CHR_F_AUX_WRITE)) != 0) {
        value[0] |= BLE_GATT_CHR_PROP_EXTENDED;
    }
    hci_put_le16(value + 1, (uint16_t)(attribute->handle + 1));
    return append(*om, value, (uint16_t)(3 + uuid_put(value + 3, chr->uuid)));
}

/* Reads from an offset call back as well, and take from the whole what lies beyond: the
 * value may have changed since the part before. */
static int access_by_callback(uint16_t connection, const struct attribute *attribute,
                              struct ble_gatt_access_ctxt *context, uint16_t offset,
                              struct os_mbuf **om, ble_gatt_access_fn *callback,
                              void *arg)
{
    bool write = context->op == BLE_GATT_ACCESS_OP_WRITE_CHR ||
                 context->op == BLE_GATT_ACCESS_OP_WRITE_DSC;
    context->om = *om;
    if (write) {
        int error = callback(connection, attribute->handle, context, arg);
        *om = context->om;
        return error;
    }
    if (offset > 0) {
        context->om = ble_hs_mbuf_att_pkt();
        if (context->om == NULL) {
            return BLE_ATT_ERR_INSUFFICIENT_RES;
        }
    }
    struct os_mbuf *whole = context->om;
    int before = OS_MBUF_PKTLEN(whole);
    int error = callback(connection, attribute->handle, context, arg);
    int size = OS_MBUF_PKTLEN(whole) - before - offset;
    if (error == 0 && size < 0) {
        error = BLE_ATT_ERR_INVALID_OFFSET;
    }
    if (offset > 0) {
        if (error == 0) {
            os_mbuf_appendfrom(*om, whole, offset, (uint16_t)size);
        }
        os_mbuf_free_chain(whole);
    }
    return error;
}

static int access_value(struct connection *c, const struct attribute *attribute,
                        bool write, uint16_t offset, struct os_mbuf **om)
{
    const struct ble_gatt_chr_def *chr = attribute->characteristic;
    struct ble_gatt_access_ctxt context = {.op = write ? BLE_GATT_ACCESS_OP_WRITE_CHR
                                                       : BLE_GATT_ACCESS_OP_READ_CHR,
                                           .chr = chr};
    return access_by_callback(c != NULL ? c->handle : BLE_HS_CONN_HANDLE_NONE, attribute,
                              &context, offset, om, chr->access_cb, chr->arg);
}

static int access_descriptor(struct connection *c, const struct attribute *attribute,
                             bool write, uint16_t offset, struct os_mbuf **om)
{
    const struct ble_gatt_dsc_def *dsc = attribute->descriptor;
    struct ble_gatt_access_ctxt context = {.op = write ? BLE_GATT_ACCESS_OP_WRITE_DSC
                                                       : BLE_GATT_ACCESS_OP_READ_DSC,
                                           .dsc = dsc};
    return access_by_callback(c != NULL ? c->handle : BLE_HS_CONN_HANDLE_NONE, attribute,
                              &context, offset, om, dsc->access_cb, dsc->arg);
}

static int access_cccd(struct connection *c, const struct attribute *attribute,
                       bool write, uint16_t offset, struct os_mbuf **om)
{
    const struct nimble *n = nimble_state();
    const struct cccd *cccd = &n->cccds[attribute->cccd];
    uint8_t bytes[2] = {0};
    (void)offset;
    if (c == NULL) {
        return BLE_ATT_ERR_UNLIKELY; /* each connection has its own */
    }
    uint8_t before = c->cccd_flags[attribute->cccd];
    if (!write) {
        hci_put_le16(bytes, before);
        return append(*om, bytes, sizeof(bytes));
    }
    if (OS_MBUF_PKTLEN(*om) != 2) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    os_mbuf_copydata(*om, 0, 2, bytes);
    uint16_t flags = hci_get_le16(bytes);
    if ((flags & ~cccd->allowed) != 0) {
        return BLE_ATT_ERR_REQ_NOT_SUPPORTED;
    }
    c->cccd_flags[attribute->cccd] = (uint8_t)flags;
    gatts_subscribed(c, cccd->value_handle, BLE_GAP_SUBSCRIBE_REASON_WRITE, before,
                     (uint8_t)flags);
    return 0;
}

/* Registration. */

static struct attribute *add(struct nimble *n, const ble_uuid_t *uuid, uint8_t flags,
                             attribute_access_fn *access, const void *definition)
{
    if (n->attributes_count == ATTRIBUTES_MAX) {
        return NULL;
    }
    struct attribute *attribute = &n->attributes[n->attributes_count++];
    *attribute = (struct attribute){.uuid = uuid,
                                    .handle = n->attributes_count,
                                    .end = n->attributes_count,
                                    .flags = flags,
                                    .cccd = -1,
                                    .access = access,
                                    .definition = definition};
    return attribute;
}

static uint8_t permissions(ble_gatt_chr_flags flags)
{
    static const struct {
        uint16_t chr;
        uint8_t att;
    } map[] = {
        {BLE_GATT_CHR_F_READ, BLE_ATT_F_READ},
        {BLE_GATT_CHR_F_WRITE_NO_RSP | BLE_GATT_CHR_F_WRITE, BLE_ATT_F_WRITE},
        {BLE_GATT_CHR_F_READ_ENC, BLE_ATT_F_READ_ENC},
        {BLE_GATT_CHR_F_READ_AUTHEN, BLE_ATT_F_READ_AUTHEN},
        {BLE_GATT_CHR_F_READ_AUTHOR, BLE_ATT_F_READ_AUTHOR},
        {BLE_GATT_CHR_F_WRITE_ENC, BLE_ATT_F_WRITE_ENC},
        {BLE_GATT_CHR_F_WRITE_AUTHEN, BLE_ATT_F_WRITE_AUTHEN},
        {BLE_GATT_CHR_F_WRITE_AUTHOR, BLE_ATT_F_WRITE_AUTHOR},
    };
    uint8_t att = 0;
    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if ((flags & map[i].chr) != 0) {
            att |= map[i].att;
        }
    }
    return att;
}

static uint8_t cccd_allowed(const struct ble_gatt_chr_def *chr)
{
    uint8_t allowed = 0;
    if ((chr->flags & BLE_GATT_CHR_F_NOTIFY) != 0) {
        allowed |= CCCD_NOTIFY;
    }
    if ((chr->flags & BLE_GATT_CHR_F_INDICATE) != 0) {
        allowed |= CCCD_INDICATE;
    }
    return allowed;
}

static void tell_registered(struct nimble *n, struct ble_gatt_register_ctxt *context)
{
    const struct ble_hs_cfg *cfg = n->binding->hs_cfg;
    if (cfg->gatts_register_cb != NULL) {
        cfg->gatts_register_cb(context, cfg->gatts_register_arg);
    }
}

static int add_cccd(struct nimble *n, uint16_t value_handle, uint8_t allowed)
{
    /* ble_gatts_count_cfg was to make room for it. */
    if (n->cccds_count >= n->cccds_configured || n->cccds_count >= CCCDS_MAX) {
        return BLE_HS_ENOMEM;
    }
    struct attribute *attribute =
        add(n, &uuid_cccd.u, BLE_ATT_F_READ | BLE_ATT_F_WRITE, access_cccd, NULL);
    if (attribute == NULL) {
        return BLE_HS_ENOMEM;
    }
    attribute->cccd = (int16_t)n->cccds_count;
    n->cccds[n->cccds_count++] =
        (struct cccd){.value_handle = value_handle, .allowed = allowed};
    return 0;
}

static int register_descriptors(struct nimble *n, const struct ble_gatt_svc_def *service,
                                const struct ble_gatt_chr_def *chr)
{
    const struct ble_gatt_dsc_def *dsc = chr->descriptors;
    for (; dsc != NULL && dsc->uuid != NULL; dsc++) {
        if (dsc->access_cb == NULL) {
            return BLE_HS_EINVAL;
        }
        struct attribute *attribute =
            add(n, dsc->uuid, dsc->att_flags, access_descriptor, dsc);
        if (attribute == NULL) {
            return BLE_HS_ENOMEM;
        }
        attribute->min_key_size = dsc->min_key_size;
        struct ble_gatt_register_ctxt context = {.op = BLE_GATT_REGISTER_OP_DSC};
        context.dsc.handle = attribute->handle;
        context.dsc.dsc_def = dsc;
        context.dsc.chr_def = chr;
        context.dsc.svc_def = service;
        tell_registered(n, &context);
    }
    return 0;
}

static int register_characteristic(struct nimble *n,
                                   const struct ble_gatt_svc_def *service,
                                   const struct ble_gatt_chr_def *chr)
{
    if (chr->access_cb == NULL) {
        return BLE_HS_EINVAL;
    }
    struct attribute *declaration =
        add(n, &uuid_characteristic.u, BLE_ATT_F_READ, access_declaration, chr);
    struct attribute *value =
        add(n, chr->uuid, permissions(chr->flags), access_value, chr);
    if (declaration == NULL || value == NULL) {
        return BLE_HS_ENOMEM;
    }
    value->min_key_size = chr->min_key_size;
    if (chr->val_handle != NULL) {
        *chr->val_handle = value->handle;
    }
    struct ble_gatt_register_ctxt context = {.op = BLE_GATT_REGISTER_OP_CHR};
    context.chr.def_handle = declaration->handle;
    context.chr.val_handle = value->handle;
    context.chr.chr_def = chr;
    context.chr.svc_def = service;
    tell_registered(n, &context);
    uint8_t allowed = cccd_allowed(chr);
    int rc = allowed != 0 ? add_cccd(n, value->handle, allowed) : 0;
    return rc != 0 ? rc : register_descriptors(n, service, chr);
}

static int register_service(struct nimble *n, const struct ble_gatt_svc_def *service)
{
    bool primary = service->type == BLE_GATT_SVC_TYPE_PRIMARY;
    if (service->uuid == NULL ||
        (!primary && service->type != BLE_GATT_SVC_TYPE_SECONDARY)) {
        return BLE_HS_EINVAL;
    }
    struct attribute *declaration = add(n, primary ? &uuid_primary.u : &uuid_secondary.u,
                                        BLE_ATT_F_READ, access_service, service);
    if (declaration == NULL) {
        return BLE_HS_ENOMEM;
    }
    struct ble_gatt_register_ctxt context = {.op = BLE_GATT_REGISTER_OP_SVC};
    context.svc.handle = declaration->handle;
    context.svc.svc_def = service;
    tell_registered(n, &context);
    for (const struct ble_gatt_svc_def **include = service->includes;
         include != NULL && *include != NULL; include++) {
        /* An included service must be there already. */
        if (service_of(n, *include) == NULL) {
            return BLE_HS_EINVAL;
        }
        if (add(n, &uuid_include.u, BLE_ATT_F_READ, access_include, *include) == NULL) {
            return BLE_HS_ENOMEM;
        }
    }
    const struct ble_gatt_chr_def *chr = service->characteristics;
    for (; chr != NULL && chr->uuid != NULL; chr++) {
        int rc = register_characteristic(n, service, chr);
        if (rc != 0) {
            return rc;
        }
    }
    declaration->end = n->attributes_count;
    return 0;
}

int gatts_register_all(struct nimble *n)
{
    if (n->registered) {
        return 0;
    }
    n->attributes_count = 0;
    n->cccds_count = 0;
    for (size_t i = 0; i < n->tables_count; i++) {
        const struct ble_gatt_svc_def *service = n->tables[i];
        for (; service->type != BLE_GATT_SVC_TYPE_END; service++) {
            int rc = register_service(n, service);
            if (rc != 0) {
                return rc;
            }
        }
    }
    n->registered = true;
    services_registered(n);
    return 0;
}

int ble_gatts_count_cfg(const struct ble_gatt_svc_def *defs)
{
    struct nimble *n = nimble_ready(__func__);
    uint16_t count = 0;
    for (; defs->type != BLE_GATT_SVC_TYPE_END; defs++) {
        if (defs->uuid == NULL || (defs->type != BLE_GATT_SVC_TYPE_PRIMARY &&
                                   defs->type != BLE_GATT_SVC_TYPE_SECONDARY)) {
            return BLE_HS_EINVAL;
        }
        const struct ble_gatt_chr_def *chr = defs->characteristics;
        for (; chr != NULL && chr->uuid != NULL; chr++) {
            if (chr->access_cb == NULL) {
                return BLE_HS_EINVAL;
            }
            count = (uint16_t)(count + (cccd_allowed(chr) != 0));
        }
    }
    n->cccds_configured = (uint16_t)(n->cccds_configured + count);
    return 0;
}

int ble_gatts_add_svcs(const struct ble_gatt_svc_def *svcs)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->tables_count == TABLES_MAX) {
        return BLE_HS_ENOMEM;
    }
    /* Once the host has started this has no effect, as with NimBLE. */
    n->tables[n->tables_count++] = svcs;
    return 0;
}

static bool gap_busy(const struct nimble *n)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used) {
            return true;
        }
    }
    return n->advertising.active;
}

int ble_gatts_reset(void)
{
    struct nimble *n = nimble_ready(__func__);
    if (gap_busy(n)) {
        return BLE_HS_EBUSY;
    }
    n->tables_count = 0;
    n->cccds_configured = 0;
    n->attributes_count = 0;
    n->cccds_count = 0;
    n->registered = false;
    return 0;
}

int ble_gatts_start(void)
{
    struct nimble *n = nimble_ready(__func__);
    return gap_busy(n) ? BLE_HS_EBUSY : gatts_register_all(n);
}

int ble_gatts_get_cfgable_chrs(void)
{
    return nimble_ready(__func__)->cccds_count;
}

/* Looking for handles. */

static const struct attribute *find_service(const struct nimble *n,
                                            const ble_uuid_t *uuid)
{
    for (uint16_t i = 0; i < n->attributes_count; i++) {
        const struct attribute *attribute = &n->attributes[i];
        if (attribute->access == access_service &&
            ble_uuid_cmp(attribute->service->uuid, uuid) == 0) {
            return attribute;
        }
    }
    return NULL;
}

/* The first attribute of this kind and UUID after one, within its group. */
static const struct attribute *find_within(const struct nimble *n, uint16_t after,
                                           uint16_t end, attribute_access_fn *access,
                                           const ble_uuid_t *uuid)
{
    for (uint16_t handle = (uint16_t)(after + 1); handle <= end; handle++) {
        const struct attribute *attribute = &n->attributes[handle - 1];
        if (attribute->access == access && ble_uuid_cmp(attribute->uuid, uuid) == 0) {
            return attribute;
        }
    }
    return NULL;
}

int ble_gatts_find_svc(const ble_uuid_t *uuid, uint16_t *out_handle)
{
    const struct attribute *service = find_service(nimble_ready(__func__), uuid);
    if (service == NULL) {
        return BLE_HS_ENOENT;
    }
    if (out_handle != NULL) {
        *out_handle = service->handle;
    }
    return 0;
}

int ble_gatts_find_chr(const ble_uuid_t *svc_uuid, const ble_uuid_t *chr_uuid,
                       uint16_t *out_def_handle, uint16_t *out_val_handle)
{
    const struct nimble *n = nimble_ready(__func__);
    const struct attribute *service = find_service(n, svc_uuid);
    const struct attribute *value =
        service == NULL
            ? NULL
            : find_within(n, service->handle, service->end, access_value, chr_uuid);
    if (value == NULL) {
        return BLE_HS_ENOENT;
    }
    if (out_def_handle != NULL) {
        *out_def_handle = (uint16_t)(value->handle - 1);
    }
    if (out_val_handle != NULL) {
        *out_val_handle = value->handle;
    }
    return 0;
}

int ble_gatts_find_dsc(const ble_uuid_t *svc_uuid, const ble_uuid_t *chr_uuid,
                       const ble_uuid_t *dsc_uuid, uint16_t *out_dsc_handle)
{
    const struct nimble *n = nimble_ready(__func__);
    uint16_t value = 0;
    int rc = ble_gatts_find_chr(svc_uuid, chr_uuid, NULL, &value);
    const struct attribute *service = find_service(n, svc_uuid);
    if (rc != 0) {
        return rc;
    }
    assert(service != NULL); /* it has the characteristic */
    uint16_t end = value;
    while (end < service->end && n->attributes[end].access != access_declaration) {
        end++;
    }
    const struct attribute *descriptor =
        find_within(n, value, end, access_descriptor, dsc_uuid);
    if (descriptor == NULL) {
        return BLE_HS_ENOENT;
    }
    *out_dsc_handle = descriptor->handle;
    return 0;
}

int ble_gatts_svc_set_visibility(uint16_t handle, int visible)
{
    struct nimble *n = nimble_ready(__func__);
    if (handle == 0 || handle > n->attributes_count ||
        n->attributes[handle - 1].access != access_service) {
        return BLE_HS_ENOENT;
    }
    for (uint16_t i = handle; i <= n->attributes[handle - 1].end; i++) {
        n->attributes[i - 1].hidden = visible == 0;
    }
    return 0;
}

void ble_gatts_show_local(void)
{
    const struct nimble *n = nimble_ready(__func__);
    char text[BLE_UUID_STR_LEN];
    for (uint16_t i = 0; i < n->attributes_count; i++) {
        sim_runtime_log(n->board, "handle %u: %s, flags 0x%02x", n->attributes[i].handle,
                        ble_uuid_to_str(n->attributes[i].uuid, text),
                        n->attributes[i].flags);
    }
}

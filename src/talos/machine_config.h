/* Talos machine configurations: a role's base document plus what is known about one machine. Pure
 * functions, text in, text out.
 *
 * The base is edited as text: everything but the keys named below stays byte for byte as the
 * administrator wrote it, comments, order and quoting included. Every edit is read back and
 * compared with the document before it, so that a layout the editor does not understand is an error
 * and never a wrong configuration. */
#ifndef ITL_TALOS_MACHINE_CONFIG_H
#define ITL_TALOS_MACHINE_CONFIG_H

#include "base/bytes.h"

#include <stdbool.h>

enum {
    MACHINE_CONFIG_MAX_BYTES = 1024 * 1024, /* of a stored base, and of the merged result */
    MACHINE_CONFIG_DEPTH_MAX = 32,          /* the deepest real document has 12 levels */
    MACHINE_CONFIG_URL_MAX = 512
};

/* Borrowed, NUL-terminated. hostname, assigned_ip and installer_image may be empty; no pointer may
 * be NULL. */
struct machine_config_facts {
    const char *machine_id;     /* UUID */
    const char *role;           /* controlplane, worker-infra or worker-app */
    const char *hostname;       /* RFC 1123 */
    const char *assigned_ip;    /* CIDR: 10.0.0.7/24 or 2001:db8::7/64 */
    const char *ek_fingerprint; /* 96 hexadecimal digits */
    const char *cluster_id; /* kept for the caller's record; the base already carries its cluster */
    const char *installer_image;
};

/* The configuration of one machine, appended to out_yaml; nothing is appended on failure. Sets in
 * the machine document, which is the one without `kind`:
 *
 *   machine.network.hostname                   the hostname, when one is known
 *   machine.network.interfaces[0].addresses    also assigned_ip; without interfaces, eth0 is made
 *   machine.nodeLabels                         itl.io/machine-id, itl.io/attested and
 *                                              itl.io/tpm-ek (the first 16 digits)
 *   machine.nodeAnnotations                    itl.io/tpm-ek-full, itl.io/machine-id
 *   machine.install.image                      installer_image, where there is no image
 *
 * Talos refuses a setting that stands in the machine document and in a document of its own. So where
 * the base has a HostnameConfig, that takes the hostname in place of its `auto`, and the machine
 * document's is removed; a KubeNodeConfig takes labels and annotations; and beside an
 * UnattendedInstallConfig no installer is set.
 *
 * Errors: BASE_CONFIG_INVALID when the base is longer than MACHINE_CONFIG_MAX_BYTES, is not YAML in
 * UTF-8, holds no machine document or several, has aliases, anchors or tags in a document that must
 * change, or a machine.type that contradicts the role; ROLE_UNKNOWN; FIELD_INVALID for a fact of the
 * wrong shape; TOO_LONG when out_yaml is too small; NO_MEMORY. */
ERRFN machine_config_merge(struct view base_yaml, const struct machine_config_facts *facts,
                           struct buf *out_yaml);

/* What a machine that is not approved yet gets: as much of a worker's machine document as is known
 * without secrets. Errors: FIELD_INVALID when service_url is not https or cluster_id is not
 * 1 to 63 characters of [A-Za-z0-9._-]; TOO_LONG. */
ERRFN machine_config_pending(const char *service_url, const char *cluster_id, struct buf *out_yaml);

/* A host name of RFC 1123 section 2.1: labels of 1 to 63 letters, digits and inner hyphens, 253 in
 * all, lower case as Kubernetes wants it, and not just digits and dots. */
bool machine_config_hostname_valid(struct view hostname);

/* An IPv4 or IPv6 host address with its prefix length; not unspecified, loopback or multicast. */
bool machine_config_address_valid(struct view address);

#endif

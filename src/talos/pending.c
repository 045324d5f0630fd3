#include "talos/machine_config.h"

#include "talos/fact.h"

enum { PENDING_MAX_BYTES = 4096 };

/* Without cluster.secret, which the reference service left empty in the document: Talos takes neither
 * form for a whole configuration, because CA, token and endpoint of the cluster are missing. */
ERRFN machine_config_pending(const char *service_url, const char *cluster_id, struct buf *out_yaml)
{
    ENSURE(fact_is_url(service_url) && fact_is_label_value(cluster_id), FIELD_INVALID);
    AUTO(buf) text = NULL;
    TRY(buf_new(PENDING_MAX_BYTES, &text));
    TRY(buf_printf(text,
                   "version: v1alpha1\n"
                   "debug: false\n"
                   "persist: true\n"
                   "machine:\n"
                   "    type: worker\n"
                   "    nodeLabels:\n"
                   "        itl.io/status: pending-approval\n"
                   "        itl.io/managed-by: talos\n"
                   "        itl.io/flavor: controlplane-stack\n"
                   "    env:\n"
                   "        ITL_REG_URL: \"%s\"\n"
                   "cluster:\n"
                   "    id: \"%s\"\n",
                   service_url, cluster_id));
    return buf_put(out_yaml, buf_view(text));
}

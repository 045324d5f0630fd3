/* Files as people have them: text that stands for bytes, PCR values, EK material in bundles. The
 * first byte chooses what the rest is taken for. */
#include "cli/evidence_ek_read.h"
#include "cli/evidence_file.h"
#include "cli/evidence_pcrs.h"
#include "cli/evidence_time.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_material(struct view content)
{
    AUTO(trust) trust = NULL;
    AUTO(buf) bytes = NULL;
    if (!IS_OK(trust_new(&trust)) || !IS_OK(evidence_decode(content, EVIDENCE_EK, &bytes))) {
        return;
    }
    struct ek_evidence evidence;
    err_t read = ek_evidence_read(buf_view(bytes), trust, &evidence);
    if (IS_OK(read) && (evidence.count == 0 || !evidence.ek[0])) {
        abort();
    }
    if (IS_E(read, EK_UNREADABLE) && !evidence.fault.what) {
        abort(); /* there is always something to say */
    }
    if (trust_root_count(trust) > 0) {
        abort(); /* nothing in the file is believed */
    }
    ek_evidence_clear(&evidence);
}

static void read_values(struct view content)
{
    struct pcr_selection selection = {2, {{TPM_ALG_SHA1, 3}, {TPM_ALG_SHA256, 0x800001}}};
    struct pcr_values values;
    if (IS_OK(evidence_pcrs_read(content, &selection, &values)) && values.count > PCR_VALUES_MAX) {
        abort();
    }
}

static void read_moment(struct view content)
{
    char text[64];
    uint64_t ms;
    if (IS_OK(view_to_text(content, text, sizeof text)) && IS_OK(evidence_time_parse(text, &ms)) &&
        ms > UINT64_C(253402387200000)) {
        abort(); /* past the year 9999 and an offset */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view content = view_of(data, size);
    read_values(content);
    read_moment(content);
    read_material(content);
    return 0;
}

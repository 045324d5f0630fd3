#include "issue.h"

#include "cmocka_all.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

EVP_PKEY *issue_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    assert_non_null(key);
    return key;
}

EVP_PKEY *issue_ec(const char *group)
{
    EVP_PKEY *key = EVP_EC_gen(group);
    assert_non_null(key);
    return key;
}

static void set_name(X509_NAME *name, const char *common_name)
{
    if (common_name && common_name[0]) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                    (const uint8_t *)common_name, -1, -1, 0),
                         1);
    }
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    if (!value) {
        return;
    }
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_raw(X509 *cert, const char *dotted, int critical)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\x00", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void add_entry(X509_NAME *name, const char *dotted, const char *value)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    assert_int_equal(
        X509_NAME_add_entry_by_OBJ(name, oid, V_ASN1_UTF8STRING, (const uint8_t *)value, -1, -1, 0),
        1);
    ASN1_OBJECT_free(oid);
}

static void add_tpm_san(X509 *cert)
{
    X509_NAME *name = X509_NAME_new();
    add_entry(name, "2.23.133.2.1", "id:54534D54");
    add_entry(name, "2.23.133.2.2", "Test TPM");
    add_entry(name, "2.23.133.2.3", "id:00010002");
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *directory = GENERAL_NAME_new();
    directory->type = GEN_DIRNAME;
    directory->d.directoryName = name;
    assert_true(sk_GENERAL_NAME_push(names, directory) > 0);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 1, 0), 1);
    GENERAL_NAMES_free(names);
}

static void add_directory_constraint(X509 *cert, const char *common_name)
{
    NAME_CONSTRAINTS *constraints = NAME_CONSTRAINTS_new();
    GENERAL_SUBTREE *subtree = GENERAL_SUBTREE_new();
    X509_NAME *name = X509_NAME_new();
    set_name(name, common_name);
    subtree->base->type = GEN_DIRNAME;
    subtree->base->d.directoryName = name;
    constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    assert_true(sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, subtree) > 0);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_name_constraints, constraints, 1, 0), 1);
    NAME_CONSTRAINTS_free(constraints);
}

X509 *issue_certificate(const struct issue_spec *spec)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_set_version(cert, spec->version ? spec->version - 1 : X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x1234);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)spec->from);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)spec->until);
    set_name(X509_get_subject_name(cert), spec->subject);
    set_name(X509_get_issuer_name(cert), spec->issuer);
    X509_set_pubkey(cert, spec->key);
    add_extension(cert, NID_basic_constraints, spec->basic_constraints);
    add_extension(cert, NID_key_usage, spec->key_usage);
    add_extension(cert, NID_ext_key_usage, spec->purposes);
    add_extension(cert, NID_name_constraints, spec->name_constraints);
    if (spec->permitted_directory) {
        add_directory_constraint(cert, spec->permitted_directory);
    }
    if (spec->tpm_san) {
        add_tpm_san(cert);
    }
    if (spec->unknown_critical) {
        add_raw(cert, "1.3.6.1.4.1.55555.1", 1);
    }
    for (int i = 0; spec->extra_oid && i <= spec->extra_twice; i++) {
        add_raw(cert, spec->extra_oid, 0);
    }
    assert_true(X509_sign(cert, spec->signer, spec->hash ? spec->hash : EVP_sha256()) > 0);
    return cert;
}

struct issue_spec issue_root(const char *name, EVP_PKEY *key)
{
    return (struct issue_spec){.subject = name,
                               .issuer = name,
                               .key = key,
                               .signer = key,
                               .from = Y2010,
                               .until = Y2040,
                               .basic_constraints = "critical,CA:TRUE",
                               .key_usage = "critical,keyCertSign,cRLSign"};
}

struct issue_spec issue_intermediate(const char *name, EVP_PKEY *key, const char *issuer,
                                     EVP_PKEY *signer)
{
    struct issue_spec spec = issue_root(name, key);
    spec.issuer = issuer;
    spec.signer = signer;
    return spec;
}

struct issue_spec issue_ek(EVP_PKEY *key, const char *issuer, EVP_PKEY *signer)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA");
    return (struct issue_spec){.issuer = issuer,
                               .key = key,
                               .signer = signer,
                               .from = Y2020,
                               .until = Y2030,
                               .basic_constraints = "critical,CA:FALSE",
                               .key_usage =
                                   rsa ? "critical,keyEncipherment" : "critical,keyAgreement",
                               .purposes = "2.23.133.8.1",
                               .tpm_san = true};
}

static struct buf *copy_and_free(uint8_t *der, int len)
{
    struct buf *copy = NULL;
    assert_true(len > 0);
    assert_ok(buf_copy(view_of(der, (size_t)len), &copy));
    OPENSSL_free(der);
    return copy;
}

struct buf *issue_der(X509 *cert)
{
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);
    return copy_and_free(der, len);
}

struct buf *issue_spki(EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    return copy_and_free(der, len);
}

struct buf *issue_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    struct buf *copy = NULL;
    assert_ok(buf_copy(view_of(text, (size_t)len), &copy));
    BIO_free(bio);
    return copy;
}

#!/bin/sh
# Credentials made here are opened, and quotes made there are verified, by a real TPM 2.0 stack: swtpm and tpm2-tools.
# usage: swtpm_round_trip.sh EVIDENCE_PROGRAM
set -eu

evidence=$1
work=$(mktemp -d)
swtpm_pid=
failures=0

cleanup() {
    if [ -n "$swtpm_pid" ]; then
        kill "$swtpm_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# The command must fail, and say this reason.
refused() {
    reason=$1
    shift
    if said=$("$@" 2>&1 >/dev/null); then
        fail "accepted: $*"
    elif [ "$said" != "$reason" ]; then
        fail "$said instead of $reason: $*"
    fi
}

manufacture() {
    mkdir "$work/state" "$work/ca"
    cat >"$work/localca.conf" <<CONF
statedir = $work/ca
signingkey = $work/ca/signkey.pem
issuercert = $work/ca/issuercert.pem
certserial = $work/ca/certserial
CONF
    : >"$work/localca.options"
    cat >"$work/setup.conf" <<CONF
create_certs_tool = $(command -v swtpm_localca)
create_certs_tool_config = $work/localca.conf
create_certs_tool_options = $work/localca.options
CONF
    swtpm_setup --tpm2 --tpmstate "$work/state" --create-ek-cert --pcr-banks sha256,sha384 \
        --config "$work/setup.conf" --logfile "$work/setup.log" >/dev/null 2>&1 ||
        { cat "$work/setup.log" >&2; exit 1; }
}

# Two neighbouring free ports are needed, so a few are tried.
start() {
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$((20000 + ($$ * 7 + attempt * 1013) % 20000))
        swtpm socket --tpm2 --tpmstate "dir=$work/state" --flags not-need-init,startup-clear \
            --server "type=tcp,port=$port,bindaddr=127.0.0.1" \
            --ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" 2>"$work/swtpm.log" &
        swtpm_pid=$!
        export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port"
        tries=0
        while kill -0 "$swtpm_pid" 2>/dev/null && [ $tries -lt 50 ]; do
            if tpm2_getrandom 1 >/dev/null 2>&1; then
                return
            fi
            tries=$((tries + 1))
            sleep 0.1
        done
    done
    echo "swtpm does not start" >&2
    cat "$work/swtpm.log" >&2
    exit 1
}

flush() {
    tpm2_flushcontext -t
    tpm2_flushcontext -l
    tpm2_flushcontext -s
}

# An EK with an empty authorisation, of a given kind: algorithm, nameAlg.
attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt'
make_ek() {
    tpm2_createprimary -Q -C e -G "$1" -g "$2" -a "$attributes" -c ek.ctx
    flush
    tpm2_readpublic -Q -c ek.ctx -o ek.pub
    tpm2_readpublic -Q -c ek.ctx -f der -o ek.der
    flush
}

make_ak() {
    tpm2_createprimary -Q -C o -c parent.ctx
    flush
    tpm2_create -Q -C parent.ctx -G "$1:null" -g "$2" -u ak.pub -r ak.priv \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'
    flush
    tpm2_load -Q -C parent.ctx -u ak.pub -r ak.priv -c ak.ctx
    flush
}

# Opens blob $1 with the EK and AK loaded last.
activate() {
    tpm2_activatecredential -Q -c ak.ctx -C ek.ctx -i "$1" -o opened >/dev/null 2>&1
}

# The blob opens on this TPM, with this AK, and only unaltered.
credential_round_trip() {
    what=$1
    rm -f opened
    if ! activate blob || ! cmp -s secret opened; then
        fail "$what: the credential does not open"
    fi
    flush
    size=$(wc -c <blob)
    for at in 14 50 $((size - 1)); do
        cp blob altered
        byte=$(od -An -tu1 -j "$at" -N 1 blob | tr -d ' ')
        printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of=altered bs=1 seek="$at" conv=notrunc 2>/dev/null
        if activate altered; then
            fail "$what: opens with byte $at altered"
        fi
        flush
    done
}

credentials() {
    head -c 32 /dev/urandom >secret
    make_ak ecc256:ecdsa-sha256 sha256
    for kind in rsa2048:aes128cfb/sha256 rsa2048:aes256cfb/sha384 rsa3072:aes256cfb/sha384 \
        ecc256:aes128cfb/sha256 ecc256:aes256cfb/sha512 ecc384:aes256cfb/sha384 \
        ecc521:aes256cfb/sha512; do
        if ! make_ek "${kind%/*}" "${kind#*/}" 2>ek.log; then
            # RSA-3072 and P-521 are options of the TPM's build.
            case $kind in
            rsa3072* | ecc521*) echo "this swtpm has no $kind"; flush; continue ;;
            *) cat ek.log >&2; fail "$kind: no EK"; continue ;;
            esac
        fi
        "$evidence" credential ek.pub pub - ak.pub secret blob || fail "$kind: TPM2B_PUBLIC"
        credential_round_trip "$kind"
        "$evidence" credential ek.der pub ek.pub ak.pub secret blob || fail "$kind: DER"
        credential_round_trip "$kind DER"
    done
}

# A credential for one AK does not open for another, though both are in the same TPM.
other_ak() {
    make_ek rsa2048:aes128cfb sha256
    "$evidence" credential ek.pub pub - ak.pub secret blob
    make_ak rsa2048:rsassa-sha256 sha256
    if activate blob; then
        fail "a credential opens for another AK"
    fi
    flush
}

# The EKs and certificates the TPM was manufactured with, and the TCG templates.
manufactured_ek() {
    index=$1 algorithm=$2
    tpm2_nvread -Q -C o "$index" -o ek.crt
    "$evidence" trust "$work/ca/swtpm-localca-rootca-cert.pem" "$work/ca/issuercert.pem" ek.crt ||
        fail "certificate $index is not trusted"
    refused ek_not_trusted "$evidence" trust other.pem "$work/ca/issuercert.pem" ek.crt
    refused ek_not_trusted "$evidence" trust "$work/ca/swtpm-localca-rootca-cert.pem" other.pem ek.crt
    if [ "$algorithm" = none ]; then
        return
    fi
    tpm2_createek -Q -G "$algorithm" -c ek.ctx -u ek.pub
    flush
    make_ak ecc384:ecdsa-sha384 sha384
    for area in ek.pub -; do
        "$evidence" credential ek.crt cert "$area" ak.pub secret blob ||
            { fail "$algorithm: certificate and public area"; continue; }
        tpm2_startauthsession -Q --policy-session -S session.ctx
        tpm2_policysecret -Q -S session.ctx -c e
        rm -f opened
        tpm2_activatecredential -Q -c ak.ctx -C ek.ctx -i blob -o opened -P session:session.ctx \
            >/dev/null || true
        cmp -s secret opened || fail "$algorithm: the template's credential does not open ($area)"
        flush
    done
}

quotes() {
    nonce=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    for kind in rsa2048:rsassa-sha256/sha256 rsa2048:rsapss-sha256/sha256 \
        rsa2048:rsapss-sha384/sha256 ecc256:ecdsa-sha256/sha256 ecc384:ecdsa-sha384/sha384; do
        algorithm=${kind%/*}
        hash=${algorithm##*-}
        scheme=${algorithm#*:}
        scheme=${scheme%-*}
        make_ak "$algorithm" "${kind#*/}"
        for selection in sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 \
            sha384:7+sha256:0,23; do
            tpm2_quote -Q -c ak.ctx -l "$selection" -q "$nonce" -g "$hash" --scheme "$scheme" \
                -m attest -s signature -o pcrs -F values
            flush
            said=$("$evidence" quote ak.pub attest signature "$nonce") || fail "$kind: TPMT_SIGNATURE"
            digest=$(openssl dgst "-$hash" -r pcrs | cut -d' ' -f1)
            [ "${said#* }" = "$digest" ] || fail "$kind $selection: PCR digest"
            refused quote_nonce_mismatch "$evidence" quote ak.pub attest signature "ff$nonce"
            tpm2_quote -Q -c ak.ctx -l "$selection" -q "$nonce" -g "$hash" --scheme "$scheme" \
                -m attest2 -s signature2 -f plain
            flush
            "$evidence" quote ak.pub attest2 signature2 "$nonce" >/dev/null || fail "$kind: plain"
            refused quote_signature_invalid "$evidence" quote ak.pub attest2 signature "$nonce"
        done
    done
}

# A key that anyone may use to sign anything is no AK.
software_like_ak() {
    tpm2_createprimary -Q -C o -c parent.ctx
    flush
    tpm2_create -Q -C parent.ctx -G ecc256:ecdsa-sha256:null -u plain.pub -r plain.priv \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
    flush
    make_ek rsa2048:aes128cfb sha256
    refused ak_attributes "$evidence" credential ek.pub pub - plain.pub secret blob
    refused ak_attributes "$evidence" credential ek.pub pub - ek.pub secret blob
}

cd "$work"
manufacture
# A CA that has nothing to do with the EKs.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
    -subj /CN=other -days 10 -out other.pem 2>/dev/null
start
credentials
other_ak
manufactured_ek 0x01c00002 rsa
manufactured_ek 0x01c00016 none
quotes
software_like_ak
[ "$failures" -eq 0 ] || { echo "$failures failures" >&2; exit 1; }
echo "all credentials opened, all quotes verified"

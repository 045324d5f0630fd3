/* A PKCS#11 module for fault injection: SoftHSM with one thing going wrong. The test program opens
 * the same file with dlopen and finds these by name. */
#ifndef ITL_TESTS_HSM_FAULTY_H
#define ITL_TESTS_HSM_FAULTY_H

enum fault {
    FAULT_NONE = 0,
    FAULT_PIN_LOCKED,    /* the token says that its PIN is locked */
    FAULT_PIN_FINAL,     /* the token says that a wrong PIN would lock it */
    FAULT_LOGIN_LOCKED,  /* C_Login: CKR_PIN_LOCKED */
    FAULT_LOGIN_REFUSED, /* C_Login: CKR_PIN_INCORRECT */
    FAULT_SIGN_REMOVED,  /* the next C_SignInit: CKR_DEVICE_REMOVED, once, and everybody is logged
                            out */
    FAULT_SIGN_BROKEN,   /* C_SignInit: CKR_FUNCTION_FAILED */
    FAULT_SIGN_SHORT,    /* C_Sign gives too few bytes */
    FAULT_SIGN_HANGS,    /* C_SignInit never returns */
    FAULT_NO_MECHANISM   /* C_GetMechanismInfo: CKR_MECHANISM_INVALID */
};

struct faulty {
    enum fault fault;
    unsigned logins; /* calls of C_Login */
    unsigned signs;  /* calls of C_SignInit */
};

/* Exported as "faulty_state". */
extern struct faulty faulty_state;

#endif

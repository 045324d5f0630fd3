/* Scope-bound ownership. `AUTO(buf) b = NULL;` frees at the end of the scope; `STEAL(b)` gives it away. */
#ifndef ITL_BASE_OWN_H
#define ITL_BASE_OWN_H

/* Makes AUTO(name) available for pointers to `type`, released by `release(ptr)` when not NULL. */
#define AUTO_DEFINE(name, type, release)                                                           \
    typedef type *auto_type_##name;                                                                \
    static inline void auto_release_##name(auto_type_##name *pointer)                              \
    {                                                                                              \
        if (*pointer) {                                                                            \
            release(*pointer);                                                                     \
        }                                                                                          \
    }                                                                                              \
    _Static_assert(sizeof(auto_type_##name) > 0, #name)

#define AUTO(name) __attribute__((cleanup(auto_release_##name))) auto_type_##name

/* Takes the value out of an AUTO variable, leaving it empty. */
#define STEAL(variable)                                                                            \
    __extension__({                                                                                \
        __typeof__(variable) stolen_ = (variable);                                                 \
        (variable) = NULL;                                                                         \
        stolen_;                                                                                   \
    })

#endif

# Flags of our own code; third-party source (CivetWeb) takes itl_build only.
add_library(itl_build INTERFACE)
add_library(itl_flags INTERFACE)
target_link_libraries(itl_flags INTERFACE itl_build)

target_compile_definitions(itl_build INTERFACE _GNU_SOURCE)
target_compile_options(itl_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
  -Wimplicit-fallthrough -Wundef -Wno-missing-field-initializers)
if(ITL_WERROR)
  target_compile_options(itl_flags INTERFACE -Werror)
endif()

if(ITL_SANITIZE)
  target_compile_options(itl_build INTERFACE -fsanitize=${ITL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(itl_build INTERFACE -fsanitize=${ITL_SANITIZE})
  # The product asks for this where a sanitizer's own system calls would meet the filter.
  target_compile_definitions(itl_build INTERFACE ITL_SANITIZED=1)
endif()
if(ITL_FUZZ)
  target_compile_options(itl_build INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(itl_build INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(ITL_HARDEN)
  target_compile_options(itl_build INTERFACE
    -O2 -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -ftrivial-auto-var-init=zero -fcf-protection=full)
  target_link_options(itl_build INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
  set(CMAKE_C_FLAGS_RELWITHDEBINFO "-g")
endif()
include(CheckPIESupported)
check_pie_supported()

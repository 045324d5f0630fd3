# Writes a file's bytes as the C array that openapi.h declares.
file(READ ${INPUT} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT}
  "#include \"front/openapi.h\"\n\nconst unsigned char openapi_json[] = {${bytes}};\nconst size_t openapi_json_len = ${length};\n")

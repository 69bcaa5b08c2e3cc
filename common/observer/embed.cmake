# Makes a C++ source of the page: cmake -DPAGE=page.html -DSOURCE=page.cpp -P embed.cmake
file(READ "${PAGE}" page HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${page}")
file(WRITE "${SOURCE}" "#include \"observer/page.hpp\"\n\nnamespace observer {\n\nnamespace {\nconstexpr char bytes[] = {${bytes}};\n}\n\nconst std::string_view page(bytes, sizeof bytes);\n\n}\n")

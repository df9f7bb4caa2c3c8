# avbench_write_method_template(HEADER FOLDER NAME): writes HEADER, which holds every file of FOLDER
# as text, so that the program needs no file beside it. NAME is the method's name in them.
function(avbench_write_method_template header folder name)
  file(GLOB files LIST_DIRECTORIES false CONFIGURE_DEPENDS ${folder}/*)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(entries "")
  foreach(file ${files})
    get_filename_component(base ${file} NAME)
    file(READ ${file} text)
    string(APPEND entries "    {\"${base}\", R\"~~~(${text})~~~\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${header} @ONLY CONTENT [[
// Made from the files of the example by method_template.cmake.
#pragma once

namespace avbench {

struct TemplateFile {
  const char* name;
  const char* text;
};

inline constexpr const char* kTemplateMethod = "@name@";
inline constexpr TemplateFile kMethodTemplate[] = {
@entries@};

}  // namespace avbench
]])
endfunction()

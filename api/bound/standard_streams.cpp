// Debian builds the static yaml-cpp for programs: its code reaches the tables of standard streams by their
// distance, which only works within one file. So the shared library has these streams itself.
#include <fstream>
#include <sstream>

template class std::basic_ios<char>;
template class std::basic_streambuf<char>;
template class std::basic_stringbuf<char>;
template class std::basic_stringstream<char>;
template class std::basic_filebuf<char>;
template class std::basic_ifstream<char>;
